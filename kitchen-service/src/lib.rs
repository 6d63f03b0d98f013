//! kitchen-service
