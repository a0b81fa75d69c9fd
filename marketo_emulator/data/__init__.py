"""What the emulated instance knows."""
