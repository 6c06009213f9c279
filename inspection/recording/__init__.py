"""What a program does as it runs: its sites, and what each one's distribution depends on."""
