"""What hooks, triggers, sensors and operators share: errors, wave files, signatures, retries."""
