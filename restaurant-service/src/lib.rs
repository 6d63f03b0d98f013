//! restaurant-service
