"""The real rotator on virtual time, with a store and a WeChat that misbehave. Seeds replay."""
