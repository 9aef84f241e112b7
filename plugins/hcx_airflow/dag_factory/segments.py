"""The part of the live DAG that cuts one segment over."""

from __future__ import annotations

from dataclasses import dataclass

from airflow.sdk import BaseOperator, TaskGroup

from hcx_airflow import names
from hcx_airflow.dag_factory import priorities
from hcx_airflow.documents import Arguments
from hcx_airflow.gates.manual import ConfirmDisconnectedGate
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.cutover import (
    DisconnectSourceSegmentOperator,
    ProveSegmentEmptyOperator,
    UnextendNetworkOperator,
    VerifyDestinationRoutedOperator,
)
from hcx_airflow.operators.reconnect import ReconnectSourceSegmentOperator
from hcx_airflow.sensors.unextend import AwaitUnextendedSensor
from hcx_waves.model.choices import Disconnect
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave


@dataclass(frozen=True)
class CutoverGroup:
    """A segment's tasks, as far as others connect to them."""

    first: BaseOperator
    last: BaseOperator
    compensation: BaseOperator


def add_cutover_group(wave: Wave, segment: Segment, *, rehearsal: bool = False) -> CutoverGroup:
    """Add a segment's group to the DAG that is being built.

    All of it is known at parse time: a rejected gate stops nothing inside a mapped group.

    :param rehearsal: whether it is done on twins, and on nothing else.
    """
    common: Arguments = {"wave_id": wave.name, "segment": segment.name, "rehearsal": rehearsal}
    urgent = common if rehearsal else {**common, **priorities.in_outage()}
    with TaskGroup(names.cutover_group(segment), tooltip=f"Cut over segment {segment.name}"):
        prove = ProveSegmentEmptyOperator(task_id=names.PROVE_SEGMENT_EMPTY, **common)
        approve = WaveGate(task_id=names.APPROVE_CUTOVER, gate=names.APPROVE_CUTOVER, **common)
        disconnect = DisconnectSourceSegmentOperator(task_id=names.DISCONNECT_SOURCE_SEGMENT, **urgent)
        unextend = UnextendNetworkOperator(task_id=names.UNEXTEND_NETWORK, **urgent)
        await_unextended = AwaitUnextendedSensor(task_id=names.AWAIT_UNEXTENDED, **urgent)
        verify = VerifyDestinationRoutedOperator(task_id=names.VERIFY_DESTINATION_ROUTED, **urgent)
        reconnect = ReconnectSourceSegmentOperator(task_id=names.RECONNECT_SOURCE_SEGMENT, **urgent)
        prove >> approve
        if segment.means_of_disconnect is Disconnect.MANUAL:
            confirm = ConfirmDisconnectedGate(task_id=names.CONFIRM_DISCONNECTED, **common)
            approve >> confirm >> disconnect
        else:
            approve >> disconnect
        # Nothing may come between these two: the outage begins with the first and only the second can end it.
        disconnect >> unextend >> await_unextended >> verify >> reconnect
        # The proof is a set-up too: a teardown runs if one of its set-ups succeeded, and a disconnect that failed may
        # have switched the gateway off all the same.
        reconnect.as_teardown(setups=[prove, disconnect], on_failure_fail_dagrun=False)
    return CutoverGroup(prove, verify, reconnect)
