"""The guide to errors: those of the products, of the procedures, and of the tasks."""

from __future__ import annotations

from hcx_waves.guide.model import Entry, Family

_RESCUE = "`hcx-waves rescue WAVE look`"
_CLEAR = "Clear the task: it looks first."
_DOCTOR = "`hcx-waves doctor`; then clear the task."
_RUN = "Start a new run."

OF_PRODUCTS = {
    "ClientError": Entry(
        "A product, or what stands before it, did something that fits no other error.",
        "Read the message; it names product, call and the product's own words.",
        _CLEAR,
    ),
    "ConnectionFailed": Entry(
        "No connection to the product could be made, or it broke. It is tried again by itself.",
        "Look whether the product runs, and whether name and port are right.",
        _DOCTOR,
    ),
    "TlsError": Entry(
        "The product's certificate is not trusted, or it does not speak TLS. Nothing was sent.",
        "Compare the certificate with what its owner says; then put CA file or pin into the connection.",
        "*Admin > Connections*; " + _DOCTOR,
    ),
    "TimedOut": Entry(
        "No answer in time. It is tried again by itself.",
        "Look at the load of the product and at the line.",
        _DOCTOR,
    ),
    "MalformedResponse": Entry(
        "The answer is not what the product documents, perhaps a page of a proxy.",
        "Look at the beginning of the answer in the message. Make the connection lead to the product itself.",
        "`hcx-waves probe`; " + _DOCTOR,
    ),
    "AuthenticationFailed": Entry(
        "The account or the token was refused.",
        "Correct the password in the connection, or unlock the account.",
        "*Admin > Connections*, button *Test*; then clear the task.",
    ),
    "SessionExpired": Entry(
        "The session has ended, and a new one is refused as well.",
        "Wait for the end of a restart of the product; then look at its services.",
        _DOCTOR,
    ),
    "PermissionDenied": Entry(
        "The account is known and lacks a right.",
        "Give it the right that the message names.",
        _DOCTOR,
    ),
    "NotFound": Entry(
        "The object is not there (any more).",
        "Find out who has removed it. If it is part of the plan, plan anew.",
        _RUN,
    ),
    "ConflictError": Entry(
        "The state of the object, or another object, stands in the way.",
        "Wait for what is at work on it, or end that.",
        _CLEAR,
    ),
    "StaleRevisionError": Entry(
        "Somebody has changed the object since it was read. It was read anew and tried again already.",
        "Find out who else changes it, such as an automation of NSX.",
        _CLEAR,
    ),
    "ValidationFailed": Entry(
        "The product refuses what it was asked for.",
        "Correct what it names.",
        _RUN,
    ),
    "RateLimited": Entry(
        "Too many requests at once. It is tried again by itself.",
        "Look for others that ask the product, such as monitoring.",
        _CLEAR,
    ),
    "VendorFault": Entry(
        "The product reports a fault of its own.",
        "Look up its code in the vendor's knowledge base.",
        _CLEAR,
    ),
    "ServerError": Entry(
        "The product could not serve the call.",
        "Look at the product's own log at the time of the error.",
        _CLEAR,
    ),
    "ServiceUnavailable": Entry(
        "The product is busy, restarting or starting up. It is tried again by itself.",
        "Wait until it is up.",
        _DOCTOR,
    ),
    "GatewayTimeout": Entry(
        "A proxy gave up waiting for the product, which may act all the same. It is tried again by itself.",
        "Nothing at first; if it stays so, make the connection lead to the product itself.",
        _CLEAR,
    ),
    "OutcomeUnknownError": Entry(
        "A change was asked for and the answer was lost: it may or may not have been made.",
        "Look before anything is repeated; each task does.",
        _CLEAR,
    ),
    "EndpointMismatch": Entry(
        "The address leads to something else than this run may work on: a twin, a simulated site, or the real one.",
        "Correct the connection. In a rehearsal, let the twin be opened anew.",
        "*Admin > Connections*; then clear the task.",
    ),
}
OF_PROCEDURES = {
    "ProcedureError": Entry(
        "A step cannot go on; the message says why.",
        "Read the evidence, then decide. Nothing further was changed.",
        _CLEAR,
    ),
    "SubmissionLostError": Entry(
        "An answer was lost, and no effect is seen.",
        "Wait a while.",
        _CLEAR,
    ),
    "NotSettledError": Entry(
        "A change was accepted and is not in effect yet.",
        "Wait a minute. If it stays so, look at the object in the product.",
        _CLEAR,
    ),
    "SegmentNotEmptyError": Entry(
        "Something still uses the segment at the source. Nothing was changed.",
        "Move it, disconnect it, or declare it under `stays`.",
        "Clear `prove_segment_empty` of the segment; after a change of the file, start a new run.",
    ),
    "TwoGatewaysError": Entry(
        "Both sites route the segment, or the step would make them.",
        "Switch off the gateway of the site at which the VMs are not. See "
        "[two gateways](../operations.md#two-gateways).",
        "NSX of that site, *Networking > Segments*; then " + _RESCUE + ".",
    ),
    "ReconnectRefusedError": Entry(
        "Connecting the source again could do harm now; the message says in which situation the segment is.",
        "Go by that situation, in [03:00](../operations.md#0300).",
        _RESCUE + "; DAG `recover__<wave>`, action `connect-destination` or `reconnect-source` as it says.",
    ),
    "SourceNotDisconnectedError": Entry(
        "The source's gateway is not proven off, so the unextend was refused.",
        "Let it be switched off, and proven.",
        "Clear `disconnect_source_segment` of the segment.",
    ),
    "DestinationNotRoutedError": Entry(
        "The destination does not route the segment (yet).",
        "Look again after a moment. If it stays so, connect its gateway.",
        "Clear `verify_destination_routed`; else DAG `recover__<wave>`, action `connect-destination`.",
    ),
    "RealisationFailedError": Entry(
        "NSX has stored a change of a segment and could not put it into effect.",
        "Look at the alarms of the segment in NSX, and correct what they name.",
        _CLEAR,
    ),
    "UnextendFailedError": Entry(
        "The unextend failed, or has not ended in time.",
        "Extension still listed: the source can be reconnected. Extension gone: connect the destination.",
        "DAG `recover__<wave>`, action `reconnect-source` or `connect-destination`; without Airflow " + _RESCUE + ".",
    ),
    "ExtensionPresentError": Entry(
        "The network is still extended.",
        "Let the unextend end first.",
        "Clear `unextend_network` of the segment; or " + _RESCUE + ".",
    ),
    "PortsRemainError": Entry(
        "The segment still has ports in NSX. Those of VMs that have left are released with a delay.",
        "Wait. If ports stay, find their owner in NSX.",
        _CLEAR,
    ),
    "CommandFailedError": Entry(
        "A command of the wave file failed, or its check gave no answer.",
        "Run it by hand on the worker; a `check` must end with 0 or 1.",
        _CLEAR,
    ),
    "ManualStepOutstandingError": Entry(
        "A person was to switch the gateway, and the check says that it is not done.",
        "Do what the instructions say.",
        "Clear the task; `hcx-waves rescue WAVE reconnect-source` shows the instructions, too.",
    ),
    "TurnTakenError": Entry(
        "A step of the run, or another way back, is at work on the segment.",
        "Wait until it has ended, then look again.",
        _RESCUE + "; then `recover__<wave>` again.",
    ),
    "NotRestorableError": Entry(
        "A deleted source segment cannot be made again by what was kept of it.",
        "Look at the source's segments, and make it by hand by the definition in the report of the cleanup.",
        "NSX of the source, *Networking > Segments*.",
    ),
    "GroupMismatchError": Entry(
        "A mobility group of the expected name is not the one that was planned.",
        "Look who has made it. Rename or archive it in HCX.",
        "HCX, *Migration*; then clear `start_migrations`.",
    ),
    "AlreadyMigratingError": Entry(
        "VMs of the wave are in flight in a group that is not this wave's.",
        "Whoever has started it ends it in HCX.",
        "HCX, *Migration*; then clear `start_migrations`.",
    ),
    "MigrationsRefusedError": Entry(
        "HCX refuses to start some of the VMs.",
        "Correct what HCX names for each of them.",
        _RUN,
    ),
    "ScheduleRefusedError": Entry(
        "HCX does not accept a new switchover window for a VM.",
        "Look at its migration: it may be in its switchover already.",
        "HCX, *Migration*; then clear `release_switchovers`.",
    ),
    "TwinStalled": Entry(
        "The time of a rehearsal stands: a task of the night was to begin and did not.",
        "Look for free slots of Airflow's pool and for paused DAGs; then run the night again.",
        "DAG `rehearsal__<wave>`.",
    ),
    "TwinWaitEnded": Entry(
        "A wait of a rehearsal ended without its instant: a second try of the task waits under the same name.",
        "Let one of them end.",
        "Clear the task once.",
    ),
}
OF_TASKS = {
    "WaveTaskError": Entry("A task cannot go on; the message says why.", "Do what the message says.", _CLEAR),
    "ConnectionSettingsError": Entry(
        "An Airflow connection cannot be used.",
        "Correct the field that the message names.",
        "*Admin > Connections*, button *Test*; then clear the task.",
    ),
    "UnusableConnectionsError": Entry(
        "Connections of the wave are missing or cannot be used; the message names all of them.",
        "Add or correct each, as its line says.",
        "*Admin > Connections*, button *Test*; then clear the task.",
    ),
    "RunRefusedError": Entry(
        "The run must not do this: its kind, its time or its params are not allowed. Nothing was changed.",
        "Start it as the message says.",
        "*Trigger* of the wave's DAG.",
    ),
    "TwinRefusedError": Entry(
        "A rehearsal was given a world that is no twin.",
        "Correct the connection `hcx_sim_control`.",
        "*Admin > Connections*; then clear `open_twin`.",
    ),
    "DriftedError": Entry(
        "Wave file, plan or inventory has changed since it was planned or approved. Nothing was started.",
        "Read what has changed. A new run adopts what is under way.",
        _RUN,
    ),
    "PlanMissingError": Entry(
        "The run has no plan, or it cannot be read.",
        "Let it be planned; if the plan was destroyed, start anew. In an outage use `rescue`, which reads the plan's "
        "file.",
        "Clear `resolve_plan`; or " + _RESCUE + ".",
    ),
    "BlockedError": Entry(
        "Findings, VMs that were left behind, or a closed window block the step. Nothing was changed by it.",
        "Resolve what it names. A window that was missed needs a new one.",
        "Clear the task and its gate, or start a new run.",
    ),
    "SigningKeyError": Entry(
        "A worker or triggerer does not have the key that results are sealed with.",
        "Give all of them the same `HCX_WAVES_SIGNING_KEY`.",
        "Clear the task. In an outage: " + _RESCUE + ", which needs no key.",
    ),
    "LedgerError": Entry(
        "The ledger of the run cannot be used, so nothing that the run has left is trusted.",
        "Repair the state folder, which all workers and triggerers share.",
        "Clear the task. In an outage: " + _RESCUE + ".",
    ),
    "UnreadableResultError": Entry(
        "The stored result of a task cannot be read; another release or a user has written it.",
        "Let that task run again.",
        "Clear the task that has left it.",
    ),
    "UntrustedResultError": Entry(
        "The stored result of a task is not what the task has left: somebody has changed, replaced or deleted it.",
        "Find out who, in Airflow's event log. Then let that task run again.",
        "*Browse > Audit Log*; clear the task that has left it.",
    ),
    "NotApprovedError": Entry(
        "A step that changes something has no valid approval. It may have been marked, used or made void.",
        "Ask again.",
        "Clear the gate together with the step.",
    ),
    "RejectedError": Entry(
        "A person has said no at a gate.",
        "Talk to them; the reason is in the report.",
        _RUN,
    ),
    "UnansweredError": Entry(
        "Nobody has answered a gate in time, which counts as a no.",
        "Agree who answers, and when.",
        _RUN,
    ),
    "AnswerRefusedError": Entry(
        "An answer does not count: not an approver, or no valid change reference.",
        "Let one of the approvers answer, with a reference that matches the pattern.",
        "Clear the gate: it asks again.",
    ),
    "LostTooOftenError": Entry(
        "The process of a task was lost again and again, so nobody goes on by itself.",
        "Look at memory and log of the worker.",
        "Clear the task once the worker is well.",
    ),
    "NothingMigratedError": Entry(
        "No VM has arrived at the destination. No gateway was touched.",
        "Correct what HCX says of each VM.",
        _RUN,
    ),
    "IncompleteError": Entry(
        "Something was left behind; the message names it.",
        "Correct the cause.",
        "Clear the task, or start a new run, which adopts what has moved.",
    ),
    "WaitedInVainError": Entry(
        "A task before this one has left no result.",
        "Let that task run again.",
        "Clear the task that the message names.",
    ),
    "RecoveryRefusedError": Entry(
        "What a way back asks for must not be done now; the message says why.",
        "Press what the message names instead.",
        "DAG `recover__<wave>`; " + _RESCUE + ".",
    ),
    "WaveFileMissingError": Entry(
        "No folder has the wave's file.",
        "Put it back; while it is away, the DAG is out of service.",
        "`hcx-waves validate`; then clear the task.",
    ),
    "WavesNeedAttentionError": Entry(
        "The watchdog has found waves that need a person.",
        "Do what each line says.",
        "Log of `report_waves` of DAG `hcx_waves_watchdog`.",
    ),
    "SitesDifferError": Entry(
        "The daily probe has found answers that differ from what is known, for the first time.",
        "Read each difference; rehearse before the next wave.",
        "Log of `probe_sites`; `hcx-waves probe`.",
    ),
    "PlanError": Entry(
        "The wave cannot be planned; each problem has a line.",
        "Correct the file or the sites. `STRANDED` means that a segment has no gateway now.",
        "Start a new run; if a segment is stranded, DAG `recover__<wave>`, action `connect-destination`.",
    ),
    "WaveFileError": Entry(
        "A wave file cannot be used; each problem has a line.",
        "Correct the file.",
        "`hcx-waves validate`.",
    ),
    "InvalidWavesError": Entry(
        "Wave files cannot be used, or contradict each other. Others stay in service.",
        "Correct the files.",
        "`hcx-waves validate`; Airflow's *Import Errors*.",
    ),
}

ERRORS = Family(
    "errors",
    "Errors",
    "The class of an error stands in the log of the red task and in the report. Errors of the products say in whose "
    "words; those that may pass are tried again before they are seen.",
    {**OF_PROCEDURES, **OF_TASKS, **OF_PRODUCTS},
)
