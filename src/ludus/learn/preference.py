"""Learning from which of two replies is better: losses of preference optimisation, and of a reward model.

    now, before = score(model, rollouts), score(reference, rollouts)          # learn.objective
    log_prob, reference = now.log_prob.sum(1), before.log_prob.sum(1)         # of whole replies
    loss = dpo(log_prob[best], log_prob[worst], reference[best], reference[worst], beta=0.1).mean()

Where a person or a verifier prefers as Bradley and Terry (1952) say, chosen over rejected with probability
sigmoid(r(chosen) - r(rejected)), the policy that has the most reward r less beta times its divergence from a reference
is reference * exp(r / beta), normalised. So beta * log(policy / reference) is a reward, and a policy can be fitted to
preferences as a reward model is. The losses differ in what they ask of that reward's lead, chosen less rejected.

All take tensors float[B] with a pair in each place, and give float[B], one loss per pair: take the mean.
"""

from torch import Tensor
from torch.nn.functional import logsigmoid


def bradley_terry(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Minus the log-likelihood of the preferences under a reward model's scores. Rafailov et al. (2023), equation 2.

    Only differences of scores are learned: what is added to all replies to one prompt changes nothing.
    """
    return -logsigmoid(chosen - rejected)


def dpo(chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float) -> Tensor:
    """Direct preference optimisation: the likelihood above, of the reward that the policy is.

    Rafailov et al. (2023), "Direct preference optimization: your language model is secretly a reward model",
    arXiv:2305.18290, equation 7. beta > 0, 0.1 in the paper: the lower, the farther from the reference. Where one reply
    always wins no lead is ever enough, and the policy runs away from the reference whatever beta is; see `ipo`.

    chosen, rejected                       log-probabilities of whole replies under the policy, with their gradient
    reference_chosen, reference_rejected   the same under the reference, without
    """
    return bradley_terry(*_rewards(chosen, rejected, reference_chosen, reference_rejected, beta))


def ipo(chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float) -> Tensor:
    """Identity preference optimisation: the lead of log(policy / reference) should be 1 / (2 beta), not more.

    Azar et al. (2023), "A general theoretical paradigm to understand learning from human preferences",
    arXiv:2310.12036, equation 17, whose tau is beta here. Least where the policy is reference * exp(p / beta), p being
    how often a reply is preferred to one of those it was compared with: bounded, also where one reply always wins.
    Arguments as for `dpo`.
    """
    better, worse = _rewards(chosen, rejected, reference_chosen, reference_rejected, 1.0)
    return (better - worse - 1 / (2 * _positive("beta", beta))) ** 2


def simpo(
    chosen: Tensor, rejected: Tensor, chosen_length: Tensor, rejected_length: Tensor, beta: float, margin: float
) -> Tensor:
    """Simple preference optimisation: no reference; the reward is the mean log-probability of a token, times beta.

    Meng, Xia and Chen (2024), "SimPO: simple preference optimization with a reference-free reward", arXiv:2405.14734,
    equation 6. chosen and rejected as for `dpo`; their lengths are in tokens, at least 1; margin >= 0 (gamma there) is
    the lead that is asked for. In the paper beta is 2 to 2.5 and gamma 0.3 to 1.6.
    """
    if min(int(chosen_length.min()), int(rejected_length.min())) < 1:
        raise ValueError("chosen_length, rejected_length: a reply has a token or more; one of none is seen")
    scale = _positive("beta", beta)
    return -logsigmoid(scale * (chosen / chosen_length - rejected / rejected_length) - margin)


def _rewards(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor]:
    """beta * log(policy / reference) of both replies; nothing is learned through the reference."""
    scale = _positive("beta", beta)
    return scale * (chosen - reference_chosen.detach()), scale * (rejected - reference_rejected.detach())


def _positive(argument: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(f"{argument}: give a number above zero, such as 0.1; {value} seen")
    return value
