"""The contract of costing methods lives in ``engine/pools.py``, where the ledger can speak it too; edit it there."""

from engine.pools import Basis, CostMethod, Layer, Move, Part, Pool, PoolState, Settled, Use

__all__ = ("Basis", "CostMethod", "Layer", "Move", "Part", "Pool", "PoolState", "Settled", "Use")
