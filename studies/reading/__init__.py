"""What studies read off a trained pair: images, latents, effects of moving them, scores."""
