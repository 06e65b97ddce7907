"""The component that turns records into token ids."""
