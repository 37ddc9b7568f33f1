"""An example: a Keras model that mercer trains, judges and serves as a ranker."""
