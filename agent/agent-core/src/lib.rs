//! The agent's decisions: leases, jobs, grants, supervision; pure.
