"""What comes in from the network: let through, limited, kept for minutes, or refused."""
