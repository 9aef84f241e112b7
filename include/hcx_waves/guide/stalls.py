"""The guide to stalls."""

from __future__ import annotations

from hcx_waves.guide.model import Entry, Family

_LOOK = "Log of `await_migrations`; HCX, *Migration*."
_CLEAR = "clear `await_migrations`: it looks again and goes on waiting."

STALLS = Family(
    "stalls",
    "Stalls",
    "Something stands, or what a wait relies on has changed. A stall is in the log of the waiting task, on the page of "
    "the watchdog, and in the report. A wait ends for a stall only if nothing else moves and the stall is past its "
    "limit (`limits.stalls` of the wave file); nothing is cancelled by that.",
    {
        "transfer-stands": Entry(
            "HCX reports no byte more of a VM's transfer, for ten minutes or longer.",
            "Look at the migration in HCX, at the tunnel of its mesh and at the load of source datastore and line. A "
            "transfer goes on by itself once its path is free. If it stays so, cancel this migration; the VM stays at "
            "the source.",
            _LOOK + " DAG `recover__<wave>`, action `cancel`.",
        ),
        "tunnel-down": Entry(
            "No transfer over a service mesh makes progress: its tunnel or one of its appliances is down.",
            "Look at the appliances of the mesh and their tunnels; repair the line or redeploy the appliance. Do not "
            "release switchovers meanwhile: they would fail. Transfers go on by themselves.",
            "HCX, *Interconnect > Service Mesh > Appliances*.",
        ),
        "migration-not-begun": Entry(
            "HCX has taken a migration and not begun it, while no other VM of the wave moves either.",
            "Look for migrations of other waves or people that take HCX's places. Wait until they end.",
            "HCX, *Migration*: all groups.",
        ),
        "migration-not-listed": Entry(
            "HCX does not list a migration that the run has started; somebody has archived or deleted it, or the "
            "manager was restored.",
            "Nothing by hand: `evaluate_migrations` asks both vCenters where the VM is. If it is at neither site, look "
            "for its instance UUID, which the plan has.",
            "Task `evaluate_migrations`; then `hcx-waves rescue WAVE look`.",
        ),
        "window-missed": Entry(
            "The switchover window of a VM has closed before its turn came. The VM stays at the source and in sync.",
            "Give it a new window: reschedule the migration in HCX, or start a new run in a later window, which adopts "
            "the migration.",
            "HCX, *Migration > Schedule*; or start a new run of the wave.",
        ),
        "switchover-not-begun": Entry(
            "A switchover is due, nothing moves on its mesh, and HCX does not begin it. HCX may have lost the job "
            "(KB 321654).",
            "Reschedule the migration in HCX. If that does not help, restart the HCX services (application engine) in "
            "the manager's appliance management; replicated data is kept.",
            "HCX, *Migration > Schedule*; then " + _CLEAR,
        ),
        "switchover-long": Entry(
            "A VM has been in its switchover for longer than in 99 of 100 forecast nights (30 minutes without a "
            "forecast), and HCX shows no progress. Others of its mesh wait behind it.",
            "Look at the migration in HCX, and at the tasks of the VM in both vCenters. Do not power the VM on at "
            "either site while HCX works on it. A migration in switchover can be cancelled only by force.",
            "HCX, *Migration*; as the last resort DAG `recover__<wave>`, action `cancel` with *force*.",
        ),
        "unextend-long": Entry(
            "HCX has accepted the unextend and has not ended it after five minutes; usually it takes one. The outage "
            "of the segment may be running.",
            "Look first. If the extension is gone and the destination's gateway is off, connect it. If HCX is still at "
            "work, wait, or give the network a gateway at the destination with `--while-extended`.",
            "DAG `recover__<wave>`, action `connect-destination`; without Airflow `hcx-waves rescue WAVE look`.",
        ),
        "manager-unreachable": Entry(
            "The HCX Manager has not answered for two minutes or longer. Migrations go on without it.",
            "Look whether the manager runs and can be reached from the triggerer's host. Nothing is lost: the wait "
            "goes on as soon as it answers.",
            "`hcx-waves doctor`; connection `hcx`, button *Test*.",
        ),
        "sessions-refused": Entry(
            "The manager takes the account, and refuses the session that it has just given. It may be restarting, or "
            "stand behind a load balancer.",
            "Wait for the end of a restart. If it lasts, look at the manager's services, and make the connection lead "
            "to the manager itself.",
            "`hcx-waves doctor`; the manager's appliance management.",
        ),
        "credentials-refused": Entry(
            "The manager refuses the account that it took at the beginning of the wait: its password was changed, it "
            "was locked, or a role was taken from it. The wait tries every five minutes, so that it locks no account.",
            "Put the right password into the connection, or unlock the account. A waiting task keeps the password that "
            "it began with, so clear it after the connection was changed.",
            "*Admin > Connections*; " + _CLEAR,
        ),
        "certificate-changed": Entry(
            "The manager shows a certificate that the connection does not trust: it was renewed, or somebody stands "
            "in between.",
            "Ask whoever runs the manager whether the certificate was renewed, and compare the fingerprint. Then put "
            "the new CA file or pin into the connection.",
            "*Admin > Connections*; `hcx-waves doctor` shows the fingerprint; " + _CLEAR,
        ),
        "manager-changed": Entry(
            "Another version of the manager answers than the one with which the wave was started, or another manager. "
            "It was upgraded, restored or replaced in mid-wave.",
            "Approve no cutover before the upgrade is complete at both sites and the meshes are up. If another manager "
            "answers, correct the connection's address.",
            "`hcx-waves doctor`; `hcx-waves probe`; HCX, *System Updates*.",
        ),
        "clock-jumped": Entry(
            "The manager's clock has jumped against this machine's by more than a minute. Switchover windows open and "
            "close by the manager's clock.",
            "Correct NTP at the manager, or at the triggerer's host if that is wrong. Release no switchovers before.",
            "The manager's appliance management, *Time Settings*; `hcx-waves doctor`.",
        ),
        "triggerer-away": Entry(
            "A task waits in the triggerer, and nobody has looked for ten minutes or for five times the interval. HCX "
            "goes on by itself; nobody notices what ends or fails.",
            "Start the triggerer. The wait then goes on by itself and loses nothing.",
            "*Admin > Triggers* or the triggerer's log; `airflow triggerer`.",
        ),
    },
)
