//! customer-service
