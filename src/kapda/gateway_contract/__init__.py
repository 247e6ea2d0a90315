"""What kapda relies on at Razorpay, as checks that can be run: against the emulator, and against an account in test mode.

It knows the gateway's port and plain HTTP, no adapter: who runs it brings what is to be checked.
"""

from kapda.gateway_contract.check import Check, CheckResult, Verdict
from kapda.gateway_contract.subject import Customer, Subject, Vectors
from kapda.gateway_contract.suite import CHECKS, run_suite

__all__ = ["CHECKS", "Check", "CheckResult", "Customer", "Subject", "Vectors", "Verdict", "run_suite"]
