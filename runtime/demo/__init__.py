"""The demo company: AdventureWorks read, planned as a company's days, and lived through the product's own facade."""
