"""No test of the engine gets a plan that the referee has not passed."""

from collections.abc import Iterator

import pytest

from rdv.engine.referee import violations
from rdv.engine.slots import Office
from rdv.engine.values import Result


@pytest.fixture(autouse=True, scope="session")
def every_result_is_judged() -> Iterator[None]:
    answered = Office.result

    def judged(office: Office, *, explain: bool = False) -> Result:
        result = answered(office, explain=explain)
        assert violations(office.instance, result.assignment, stranded=result.stranded) == []
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Office, "result", judged)
        yield
