"""What waits without a worker slot and always ends in success with an outcome; a worker task judges it right after."""
