"""The house stays as it was put in order: the figures of ``measures.py``, held from now on."""

from __future__ import annotations

import pytest

from house import circles, journeys, measures, mentions, shapes
from house.tree import SIMULATOR, modules_of, packages


def test_the_whole_source_is_measured() -> None:
    assert {"hcx_airflow", "hcx_sim", "hcx_waves"} <= set(packages())
    assert len(mentions.task_ids()) > 25


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles.module_circles() == []


def test_no_packages_side_by_side_import_each_other_in_a_circle() -> None:
    found = [circle for circle in circles.sibling_circles() if not circle[0].startswith(SIMULATOR)]

    assert found == []


@pytest.mark.parametrize("name", measures.JOURNEYS)
def test_an_argument_visits_few_files(name: str) -> None:
    most, _ = measures.JOURNEYS[name]

    files = measures.journey(name)

    assert len(files) <= most, files


def test_a_journey_must_set_out_from_a_function_that_is_there() -> None:
    with pytest.raises(LookupError, match="nowhere"):
        journeys.modules_visited("hcx_waves.nowhere", "run")


def test_a_vm_has_few_forms_on_its_way_to_the_report() -> None:
    forms, _ = shapes.vm_forms()

    assert 0 < len(forms) <= measures.MOST_VM_FORMS, forms


def test_the_airflow_layer_has_few_untyped_mappings() -> None:
    found = shapes.untyped_mappings()

    assert found.total() <= measures.MOST_UNTYPED_MAPPINGS, found


def test_the_airflow_layer_has_few_reads_by_string_keys() -> None:
    found = shapes.string_keyed_reads()

    assert found.total() <= measures.MOST_KEYED_READS, found


def test_one_module_knows_where_tasks_leave_their_results() -> None:
    assert list(shapes.task_storage_uses()) == ["hcx_airflow.results"]


def test_few_files_know_a_gates_facts() -> None:
    found = mentions.files_spelling_gates()

    assert 0 < len(found) <= measures.MOST_FILES_SPELLING_GATES, found


def test_each_task_id_is_written_down_once() -> None:
    found = {task_id: files for task_id, files in mentions.spelt_task_ids().items() if len(files) != 1}

    assert found == {}


def test_class_names_are_used_once() -> None:
    found = shapes.class_names_used_twice()

    assert len(found) <= measures.MOST_NAMES_USED_TWICE, found


def test_no_module_imports_two_classes_of_one_name() -> None:
    assert shapes.namesakes_imported_together() == []


def test_one_module_uses_what_airflow_keeps_private() -> None:
    found = mentions.files_with_private_airflow()

    assert len(found) == 1, found


def test_a_quantile_is_computed_in_one_way() -> None:
    found = mentions.quantile_functions()

    assert len(found) == 1, found


def test_output_does_not_say_told() -> None:
    assert mentions.strings_with("told") == {}


def test_the_demo_is_no_part_of_the_core() -> None:
    assert modules_of(measures.DEMO_IN_THE_CORE) == []


def test_functions_are_short() -> None:
    assert shapes.longest_functions(measures.MOST_LINES_OF_FUNCTION) == []


def test_modules_are_short() -> None:
    assert shapes.longest_modules(measures.MOST_LINES_OF_MODULE) == []
