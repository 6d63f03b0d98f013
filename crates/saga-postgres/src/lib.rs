//! saga-postgres
