"""The token embedding and the output layers that share it: the full softmax and the adaptive one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.models.lstm import product
from lstmlm.models.noise import Noise, shared_mask
from lstmlm.models.output.cross_entropy import token_nats
from lstmlm.recipe.sections.model import ModelSection

EMBEDDING_SITE = 900


class TiedSoftmax(tf.Module):
    """The token embedding, which is the output layer too (Press and Wolf 2017).

    Args:
        vocabulary: Number of tokens.
        width: Width of an embedding.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(self, vocabulary: int, width: int, generator: tf.random.Generator, *, precision: tf.DType) -> None:
        super().__init__(name="embedding")
        self.vocabulary, self.precision = vocabulary, precision
        table = generator.normal([vocabulary, width], stddev=width**-0.5)
        self.table = tf.Variable(table, name="embedding/table")
        self._rows = self.table
        self.bias = tf.Variable(tf.zeros(vocabulary), name="embedding/bias")

    def embed(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns float32 [..., width] for int32 ids [...]."""
        return tf.gather(self._rows, ids)

    def for_loss(self) -> Self:
        """Returns this layer for one loss, with which the gradient of the table is cheaper.

        The rows that are looked up give a part of it, the products of the softmax the other. TensorFlow puts such parts
        together as a list of rows, longer than the vocabulary, and sums that; here the few rows go into the other part.
        """
        layer = copy.copy(self)
        layer._rows, layer.table = _shared(self.table)
        return layer

    def embed_some(self, ids: tf.Tensor, rate: float, noise: Noise | None) -> tf.Tensor:
        """Embeds, with the embedding of a share of the vocabulary 0 for this step (Gal and Ghahramani 2016)."""
        if noise is None or rate == 0.0:
            return self.embed(ids)
        mask = shared_mask([self.vocabulary], rate, noise, EMBEDDING_SITE)
        return self.embed(ids) * tf.gather(mask, ids)[..., None]

    def logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """Returns float32 [rows, vocabulary] for hidden vectors float32 [rows, width]; a softmax makes them p."""
        return product(hidden, self.table, self.precision, transpose=True, bias=self.bias)

    def nats(self, hidden: tf.Tensor, targets: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Returns -log p of each row's target, float32 [rows], smoothed if asked for; see `loss` for the arguments."""
        return token_nats(hidden, self.table, self.bias, targets, self.precision, smoothing)

    def loss(self, hidden: tf.Tensor, targets: tf.Tensor, smoothing: float) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums the cross-entropy over the targets that are not padding.

        Args:
            hidden: float32 [rows, width].
            targets: int32 [rows], 0 for padding.
            smoothing: Share of the mean over all tokens (see `token_nats`).

        Returns:
            The sum in nats and the number of targets, float32 scalars.
        """
        kept = tf.where(targets > 0)[:, 0]
        hidden, targets = tf.gather(hidden, kept), tf.gather(targets, kept)
        return tf.reduce_sum(self.nats(hidden, targets, smoothing)), tf.cast(tf.size(targets), tf.float32)


class AdaptiveSoftmax(TiedSoftmax):
    """Frequent tokens in a short softmax, rare ones in clusters behind it (Grave et al. 2017).

    p(token) is p_head(token) for a frequent one, and p_head(cluster) * p_cluster(token) for a rare one, so only rows
    whose target is rare pay for the rare part of the vocabulary. It is an exact distribution. Clusters keep the full
    width of the embedding, because the table is tied.

    Args:
        vocabulary: Number of tokens; ids fall in frequency.
        width: Width of an embedding.
        cutoffs: First id of each cluster, rising.
        generator: Draws the initial weights.
        precision: Type of the matrix products.

    Raises:
        UserError: A cutoff is beyond the vocabulary.
    """

    def __init__(
        self,
        vocabulary: int,
        width: int,
        cutoffs: Sequence[int],
        generator: tf.random.Generator,
        *,
        precision: tf.DType,
    ) -> None:
        super().__init__(vocabulary, width, generator, precision=precision)
        if cutoffs[-1] >= vocabulary:
            what = f"{cutoffs[-1]} is beyond the vocabulary of {vocabulary} tokens"
            raise UserError(what, where="model.cutoffs", hint="Lower it")
        self._bounds = list(zip(cutoffs, [*cutoffs[1:], vocabulary], strict=True))
        self._sizes = [cutoffs[0], *(end - start for start, end in self._bounds)]
        clusters = generator.normal([len(cutoffs), width], stddev=width**-0.5)
        self.clusters = tf.Variable(clusters, name="embedding/clusters")
        self.cluster_bias = tf.Variable(tf.zeros(len(cutoffs)), name="embedding/cluster_bias")

    def _parts(self) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """Returns weights and bias of the head, then of each cluster."""
        # One split, so that the gradient of the table is one concatenation.
        (head, *tails) = tf.split(tf.convert_to_tensor(self.table), self._sizes)
        (head_bias, *tail_biases) = tf.split(tf.convert_to_tensor(self.bias), self._sizes)
        first = tf.concat([head, self.clusters], axis=0), tf.concat([head_bias, self.cluster_bias], axis=0)
        return [first, *zip(tails, tail_biases, strict=True)]

    def logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """See `TiedSoftmax.logits`: log p of every token, which a softmax leaves as it is."""
        logs = [
            tf.nn.log_softmax(product(hidden, weights, self.precision, transpose=True, bias=bias))
            for weights, bias in self._parts()
        ]
        frequent = self._sizes[0]
        head, entries = logs[0][:, :frequent], logs[0][:, frequent:]
        return tf.concat([head, *(entries[:, k : k + 1] + tail for k, tail in enumerate(logs[1:]))], axis=1)

    def nats(self, hidden: tf.Tensor, targets: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """See `TiedSoftmax.nats`: summed over the softmaxes that lead to a target, the head and a rare one's cluster.

        So label smoothing spreads its share over the choices at each of them.
        """
        (weights, bias), *tails = self._parts()
        frequent = self._sizes[0]
        entry = targets
        for k, (start, end) in enumerate(self._bounds):
            entry = tf.where((targets >= start) & (targets < end), frequent + k, entry)
        total = token_nats(hidden, weights, bias, entry, self.precision, smoothing)
        for (start, end), (weights, bias) in zip(self._bounds, tails, strict=True):
            rows = tf.where((targets >= start) & (targets < end))
            inner, within = tf.gather_nd(hidden, rows), tf.gather_nd(targets, rows) - start
            nats = token_nats(inner, weights, bias, within, self.precision, smoothing)
            total = tf.tensor_scatter_nd_add(total, rows, nats)
        return total


def _shared(table: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a table twice, for lookups and for products; the gradient of the first goes into that of the second."""

    @tf.custom_gradient
    def run(table: tf.Tensor):  # type: ignore[no-untyped-def]
        def backward(looked_up: tf.IndexedSlices, products: tf.Tensor) -> tf.Tensor:
            products = tf.convert_to_tensor(products)
            return tf.tensor_scatter_nd_add(products, looked_up.indices[:, None], looked_up.values)

        return (tf.identity(table), tf.identity(table)), backward

    rows, products = run(tf.convert_to_tensor(table))
    return rows, products


def output_layer(
    sizes: ModelSection, vocabulary: int, generator: tf.random.Generator, *, precision: tf.DType
) -> TiedSoftmax:
    """Returns the output layer that the recipe's `model` section asks for."""
    if sizes.softmax == "full":
        return TiedSoftmax(vocabulary, sizes.embedding, generator, precision=precision)
    return AdaptiveSoftmax(vocabulary, sizes.embedding, sizes.clusters(vocabulary), generator, precision=precision)
