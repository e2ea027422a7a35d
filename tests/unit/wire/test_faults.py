"""Every code that the API can answer is printed on the page of errors."""

import ast
import re
from pathlib import Path

from certwright.domain.errors import CertwrightError
from certwright.wire.rest.errors import STATUS_OF
from certwright.wire.rest.faults import WireFault
from unit.wire.test_errors import list_leaves

REPOSITORY = Path(__file__).parent.parent.parent.parent
PAGE = REPOSITORY / "docs" / "reference" / "errors.md"
REST = REPOSITORY / "src" / "certwright" / "wire" / "rest"


def test_the_page_of_errors_has_every_code_with_its_status() -> None:
    printed = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    leaves = [(each.code, str(STATUS_OF[each])) for each in list_leaves(CertwrightError)]
    faults = [(each.code, str(each.status)) for each in WireFault]
    assert sorted(printed) == sorted(leaves + faults)


def test_each_fault_of_the_wire_is_answered_somewhere() -> None:
    used = {
        node.attr
        for path in REST.parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "WireFault"
    }
    assert used == {each.name for each in WireFault}


def test_no_code_means_two_things() -> None:
    assert {each.code for each in WireFault} & {each.code for each in STATUS_OF} == set()
