"""Moving a segment's gateway: prove it empty, disconnect, unextend, prove it routed, clean up; and the way back."""
