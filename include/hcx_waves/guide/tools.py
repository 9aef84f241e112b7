"""The guide to what the doctor and the probe find."""

from __future__ import annotations

from hcx_waves.guide.model import Entry, Family

_AGAIN = "`hcx-waves doctor` again."

DOCTOR = Family(
    "doctor",
    "Checks of the doctor",
    "`hcx-waves doctor` makes these checks at each endpoint. Each line that is not `ok` has its own next step; here is "
    "what the check is about.",
    {
        "doctor-document": Entry(
            "The endpoints document cannot be used, or names nothing.",
            "Correct it.",
            "`endpoints.json`; " + _AGAIN,
        ),
        "doctor-address": Entry(
            "An address is none.", "Write `https://host[:port][/path]`.", "`endpoints.json`; " + _AGAIN
        ),
        "doctor-reachability": Entry(
            "No connection to the endpoint: its name does not resolve, or nobody answers on the port.",
            "Correct address or DNS; open the firewall from this machine to it.",
            _AGAIN,
        ),
        "doctor-tls": Entry(
            "The certificate is not trusted, or ends soon; or the address is plain HTTP.",
            "Set `ca_file` to the authority that signed it, or renew it. Do not disable verification.",
            "`endpoints.json`; *Admin > Connections*; " + _AGAIN,
        ),
        "doctor-checks": Entry("Checks of an endpoint could not be made.", "See the line's own words.", _AGAIN),
        "doctor-login": Entry(
            "The account or token is refused.", "Correct it, or unlock the account.", "`endpoints.json`; " + _AGAIN
        ),
        "doctor-identity": Entry(
            "Endpoints are of different kinds: real products, simulated sites, twins.",
            "Name only endpoints of one kind, and of one simulated world.",
            "`endpoints.json`; " + _AGAIN,
        ),
        "doctor-version": Entry(
            "The version is not known or not supported, or the address is a host's and not a vCenter's.",
            "Rehearse against this version; give the vCenter's address.",
            "`hcx-waves probe`; " + _AGAIN,
        ),
        "doctor-rights": Entry(
            "The account lacks a right that a wave needs.",
            "Give it the rights that the line names.",
            "vCenter, *Access Control*; " + _AGAIN,
        ),
        "doctor-clock": Entry(
            "The endpoint's clock differs from this machine's.",
            "Synchronise both with NTP: windows are instants.",
            "The product's appliance management; " + _AGAIN,
        ),
        "doctor-pairing": Entry(
            "The HCX Manager is paired with no other site.",
            "Pair the sites.",
            "HCX, *Infrastructure > Site Pairing*.",
        ),
        "doctor-mesh": Entry(
            "There is no service mesh, or one is not healthy.",
            "Create it, or repair what the line names.",
            "HCX, *Interconnect > Service Mesh*.",
        ),
        "doctor-underlay": Entry(
            "The measured line between the sites is bad, or is not measured.",
            "Look for congestion or a wrong MTU on the path.",
            "HCX, *Interconnect > Transport Analytics*.",
        ),
        "doctor-inventory": Entry(
            "The account does not see all VMs, or none.",
            "Give it a role that reads the whole inventory.",
            "vCenter, *Access Control*; " + _AGAIN,
        ),
        "doctor-sddc": Entry(
            "The token does not see the SDDC that the document names.",
            "Correct organisation, SDDC or roles of the token.",
            "VMware Cloud console, *API Tokens*; " + _AGAIN,
        ),
    },
)
PROBE = Family(
    "probe",
    "Results of the probe",
    "`hcx-waves probe` has one row for each read that waves rely on. See [the probe](../probe.md).",
    {
        "probe-confirmed": Entry("The answer has what the contract says.", "Nothing.", "`hcx-waves probe`."),
        "probe-differs": Entry(
            "The answer differs from the contract: a member, a type, a word, a header or a page.",
            "Rehearse the wave against this release, and report the record.",
            "`hcx-waves probe --record FILE`; DAG `rehearsal__<wave>`.",
        ),
        "probe-not-offered": Entry(
            "The product has no such call, as older releases do.",
            "Nothing, if the release is old.",
            "`hcx-waves probe`.",
        ),
        "probe-not-tried": Entry(
            "The call changes something, or there was nothing to look at, or the account may not.",
            "Give the account its right, if the reason is that; the rehearsal tries the rest.",
            "`hcx-waves probe --all`; DAG `rehearsal__<wave>`.",
        ),
    },
)
