"""Forms: raw input to a complete, computed, valid document; numbers; push-down. Knows no ledger and no approval."""
