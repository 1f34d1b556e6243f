"""What is kept: tables, records, repository, audit."""
