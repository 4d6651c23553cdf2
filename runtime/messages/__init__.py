"""Every sentence the product says, by language; `catalogue` reads them, code names them by key."""
