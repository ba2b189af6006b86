"""Whatever the API's own schema allows, and much that it does not: no request breaks the service."""

from collections.abc import Generator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.running import Running, running

_EXAMPLES = 12
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running, None, None]:
    with running(Path(tmp_path_factory.mktemp("record")) / "a.db") as started:
        with started.http() as http:
            http.post("/v1/users/0/items", json={"items": [{"task": "title", "key": "0", "text": "0", "output": "0"}]})
        yield started


_BOUNDED = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_breaks_the_service(service: Running, mode: GenerationMode) -> None:
    """With requests that fit the schema, and with such as do not."""
    schema = schemathesis.openapi.from_url(f"{service.address}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    checked = 0
    for operation in operations:

        @_BOUNDED
        @given(operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=_CHECKS, timeout=30)

        try:
            check()
        except Unsatisfiable:  # a request that holds nothing cannot be wrong
            assert mode is GenerationMode.NEGATIVE
        else:
            checked += 1
    assert checked > len(operations) * 0.6
