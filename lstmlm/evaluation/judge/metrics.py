"""The names of what is measured."""

METRICS = (
    "judge_auc",
    "judge_auc_low",
    "judge_auc_high",
    "judge_accuracy",
    "judge_likelihood_auc",
    "judge_likelihood_auc_low",
    "judge_likelihood_auc_high",
    "judge_one_sample_auc",
    "judge_reranked_auc",
    "judge_reranked_auc_low",
    "judge_reranked_auc_high",
    "judge_pairs",
)
"""Areas under the curve, by the head and by how likely a text is, with their intervals; the accuracy; what a second
head says of one sample and of the best of several; and the number of pairs."""
