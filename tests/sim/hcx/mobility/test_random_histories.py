"""Random histories of migrations, with every failure switched on somewhere, keep the books straight."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hcx_sim.hcx.mobility.mobility import mobility_of
from support.mobility import Manager, scenario, vm_spec
from support.site_pair import SitePair, SiteServer

NAMES = [f"vm-{number:02d}" for number in range(10)]
KINDS = ["RAV", "RAV", "RAV", "vSphereReplication", "vMotion", "ColdMigration", "xVMotion"]
MESHES = [{"name": "mesh-1", "link_mbps": 800}, {"name": "mesh-2", "link_mbps": 400}]
POINTS = ["base_sync", "delta_sync", "switchover", "cleanup", "cancel"]
STEPS = 90


class History:
    """One random history; the same seed gives the same one."""

    def __init__(self, server: SiteServer, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - not for secrets
        self.pair: SitePair = server.make_world(scenario=self._scenario())
        self.world = self.pair.world
        self.manager = Manager(self.pair)
        self.actions = [self.start] * 7 + [self.end] * 3 + [self.reschedule] * 2 + [self.advance] * 6
        self.actions += [self.toggle_tunnel, self.fault, self.restart_group]

    def _scenario(self) -> dict[str, Any]:
        dice = self.dice
        hcx = {
            "failing_switchovers": dice.sample(NAMES, 2),
            "failing_cleanups": dice.sample(NAMES, 2),
            "failing_cancels": dice.sample(NAMES, 2),
            "tracker_lost_entities": dice.sample(NAMES, 2),
            "missed_window": dice.choice(["wait", "fail"]),
            "over_limit": dice.choice(["queue", "reject"]),
            "max_concurrent_per_manager": 6,
            "max_concurrent_per_mesh": 4,
        }
        return scenario([self._vm(name, number) for number, name in enumerate(NAMES)], hcx=hcx, meshes=MESHES)

    def _vm(self, name: str, number: int) -> dict[str, Any]:
        more: dict[str, Any] = {"disks": [{"size_gb": 20, "used_gb": self.dice.choice([0, 1, 3.3, 10])}]}
        if self.dice.random() < 0.2:
            more.update(power="poweredOff", tools_running=False)
        if self.dice.random() < 0.2:
            more["snapshots"] = ["before"]
        return vm_spec(name, 11 + number, change_rate_mbps=self.dice.choice([0, 1, 40]), **more)

    def window(self) -> tuple[float, float] | None:
        begin = self.dice.uniform(-100, 2000)
        return (begin, begin + self.dice.uniform(1, 1500)) if self.dice.random() < 0.5 else None

    def start(self) -> None:
        dice = self.dice
        items = [
            self.manager.intent(
                name,
                dice.choice(KINDS),
                mesh=dice.choice([None, "mesh-1", "mesh-2"]),
                window=self.window(),
                transfer_window=self.window(),
                seed_checkpoint=dice.random() < 0.5,
                options={"removeSnapshots": dice.random() < 0.6, "forcePowerOffVm": True},
                to=self.pair.vm(name).site.other.value,
            )
            for name in dice.sample(NAMES, dice.choice([1, 1, 2, 4]))
        ]
        self.post("/mobility/migrations/start", {"items": items})

    def end(self) -> None:
        action = self.dice.choice(["cancel", "forceCancel"])
        items = [{"migrationId": item["migrationId"]} for item in self.some()]
        body = {"items": items, "removeLongRecoveryData": self.dice.random() < 0.3}
        self.post(f"/mobility/migrations/{action}", body)

    def reschedule(self) -> None:
        for item in self.some():
            window = self.window()
            schedule = self.manager.schedule(*window) if window else {"clearSchedule": True}
            part = self.dice.choice(["transfer", "switchover"])
            path = f"/mobility/groups/{item['migrationGroupId']}/schedule"
            self.post(path, {"mobilityGroupDefaults": {part: schedule}})

    def restart_group(self) -> None:
        items = [{"migrationGroupId": item["migrationGroupId"]} for item in self.some()]
        self.post("/mobility/groups/start", {"items": items})

    def toggle_tunnel(self) -> None:
        mesh = self.dice.choice(list(self.world.meshes.values()))
        self.pair.run(lambda: self.world.update(mesh, tunnel_up=not mesh.tunnel_up))

    def fault(self) -> None:
        self.pair.fault(
            product="engine",
            call=f"migration.{self.dice.choice(POINTS)}",
            behaviour=self.dice.choice(["fail", "delay", "stall"]),
            seconds=self.dice.choice([0, 30, 400]),
            count=1,
        )

    def advance(self) -> None:
        self.pair.advance(self.dice.choice([1, 7.5, 60, 200, 900, 4000]))

    def some(self) -> list[dict[str, Any]]:
        items = self.manager.query()
        return [self.dice.choice(items)] if items else []

    def post(self, path: str, body: dict[str, Any]) -> None:
        answer = self.manager.post(path, body)
        assert answer.status_code in (200, 202, 400), answer.text
        assert {"errors"} <= set(answer.json())

    def check(self) -> None:
        living = [vm.uid for vm in self.world.vms.values() if not vm.retired]
        assert len(living) == len(set(living))
        assert set(NAMES) <= set(living)
        for item in self.manager.query():
            progress = item["progress"]
            assert progress["total"]["bytesTransferred"] <= progress["total"]["value"]
            assert (progress["percentComplete"] == 100) == (item["state"] == "MIGRATION_COMPLETE")

    def settle(self) -> None:
        """Take all trouble away and force everything to an end."""
        for mesh in self.world.meshes.values():
            self.pair.run(lambda mesh=mesh: self.world.update(mesh, tunnel_up=True))  # type: ignore[misc]
        self.pair.run(self.world.faults.clear)
        for _ in range(3):
            self.pair.run_until_idle(limit_seconds=20_000)
            items = [{"migrationId": i["migrationId"]} for i in self.manager.query() if not i["progress"]["isDone"]]
            self.post("/mobility/migrations/forceCancel", {"items": items})
        self.pair.run_until_idle(limit_seconds=1000)

    def check_books(self) -> None:
        """All is terminal, nothing is reserved, and every datastore holds exactly its disks and seeds."""
        assert all(item["progress"]["isDone"] for item in self.manager.query())
        store = mobility_of(self.world).store
        assert not any(migration.reserved_bytes for migration in store.migrations.values())
        for key, datastore in self.world.datastores.items():
            disks = sum(
                disk.used_bytes for vm in self.world.vms.values() for disk in vm.disks
                if f"{vm.site}/{disk.datastore_moref}" == key
            )  # fmt: skip
            seeds = sum(seed.seeded_bytes for seed in store.seeds.values() if seed.datastore_key == key)
            assert datastore.capacity_bytes - datastore.free_bytes == disks + seeds, key

    def check_power(self) -> None:
        """Only bulk migrations power a running VM off."""
        bulk = {i["entity"]["entityName"] for i in self.manager.query(migrationType=["vSphereReplication"])}
        report = self.pair.oracle()["vms"]
        assert [name for name in NAMES if name not in bulk and report[name]["power_off"]] == []


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_keeps_the_books_straight(site_server: SiteServer, seed: int) -> None:
    history = History(site_server, seed)
    try:
        for _ in range(STEPS):
            history.dice.choice(history.actions)()
            history.check()
        history.settle()
        history.check_books()
        history.check_power()
        history.pair.assert_no_bugs()
    finally:
        site_server.drop(history.pair)
