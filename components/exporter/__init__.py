"""The component that writes the SavedModel."""
