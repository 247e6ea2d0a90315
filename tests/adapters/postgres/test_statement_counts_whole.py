"""F41: no method of the contract is left out of the counts."""

import re

from tests.adapters.postgres.test_statement_counts import READS, WRITES
from tests.adapters.postgres.test_statement_counts_of_accounts import COUNTS as OF_ACCOUNTS
from tests.adapters.postgres.test_statement_counts_of_refunds import COUNTS as OF_REFUNDS
from tests.attacks.contract import METHODS

# It recomputes everything from all rows: a question a promise, whatever there is.
NOT_COUNTED = {"check_promises"}


def test_f41_the_statements_of_every_method_are_counted() -> None:
    counted = {name.partition(" ")[0] for name in (*READS, *WRITES, *OF_ACCOUNTS, *OF_REFUNDS)}
    methods = {re.sub(r"(?<=.)(?=[A-Z])", "_", method.descriptor.name).lower() for method in METHODS}
    assert methods - counted == NOT_COUNTED
