"""The proofs of ``verify``, each over what is kept: documents, chains, running balances, costs, and what lies beside.

What each proves is numbered I1 to I11 in docs/ledger.md.
"""
