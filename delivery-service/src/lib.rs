//! delivery-service
