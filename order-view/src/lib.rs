//! order-view
