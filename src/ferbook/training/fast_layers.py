"""Layers of Keras with the same values and gradients, computed faster on a processor.

Keras 3 writes BatchNorm out in elementwise operators; TensorFlow has one fused operator each way.
oneDNN has a fast kernel for the filter gradient of a depthwise convolution for 3x3 filters alone;
that of a 5x5 filter is computed here by matrix products on small maps and from four 3x3 filter
gradients on larger ones. A frozen BatchNorm is a constant scale and offset, which the convolution
before it applies to its filters. Anything else (a GPU, other types, other shapes) is left to Keras.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

LARGEST_PRODUCT_MAP = 6  # px; above it the matrix product does more work than it saves


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """BatchNorm over the last axis of float32 (n, h, w, c), by TensorFlow's fused operator."""

    is_folded = False  # whether the convolution before it applies it while it is frozen

    def call(self, inputs, training=None, mask=None):
        """As Keras's; statistics are those of the batch, with its variance over n, not n - 1."""
        if training and self.is_folded and not self.trainable and _is_on_processor(inputs):
            return inputs
        if not (training and self.trainable and inputs.dtype == tf.float32):
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma, offset=self.beta, mean=[], variance=[],
            epsilon=self.epsilon, exponential_avg_factor=1.0, is_training=True,
        )  # fmt: skip
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1) / count  # the operator returns the unbiased one
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        return outputs


class _Foldable:
    """A convolution without bias that applies the BatchNorm after it while that is frozen."""

    _norm = staticmethod(lambda: None)  # a function, since Keras adopts layers that are attributes

    def can_fold(self) -> bool:
        """Whether it is computed here, and not by Keras, which knows of no norm to apply."""
        return not self.use_bias

    def fold(self, norm: FusedBatchNormalization) -> None:
        """Apply `norm` to the filters from now on, in training steps in which it is frozen."""
        norm.is_folded, self._norm = True, lambda: norm

    def _scale_and_offset(self) -> tuple[tf.Tensor, tf.Tensor] | None:
        """(c,) each: what the frozen BatchNorm does to a channel; None where there is none."""
        norm = self._norm()
        if norm is None or norm.trainable:
            return None
        scale = norm.gamma * tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        return tf.stop_gradient(scale), tf.stop_gradient(norm.beta - norm.moving_mean * scale)


class PointwiseConv2D(_Foldable, keras.layers.Conv2D):
    """A 1x1 convolution, trained as a matrix product, which oneDNN computes faster each way."""

    def call(self, inputs, training=None):
        """As Keras's; outside training it is Keras's, so that exports hold a convolution."""
        if not (training and _is_on_processor(inputs)):
            return super().call(inputs)
        rows = tf.reshape(inputs, (-1, inputs.shape[-1]))
        matrix, frozen = tf.reshape(self.kernel, (-1, self.filters)), self._scale_and_offset()
        outputs = rows @ (matrix * frozen[0]) + frozen[1] if frozen else rows @ matrix
        return tf.reshape(outputs, tf.concat([tf.shape(inputs)[:-1], [self.filters]], axis=0))


class FastDepthwiseConv2D(_Foldable, keras.layers.DepthwiseConv2D):
    """A depthwise convolution whose 5x5 filter gradient avoids oneDNN's slow kernel."""

    def can_fold(self) -> bool:
        """See _Foldable; not in forms that EfficientNets lack."""
        square = self.strides[0] == self.strides[1]
        plain = self.depth_multiplier == 1 and self.dilation_rate == (1, 1)
        return super().can_fold() and plain and square

    def call(self, inputs, training=None):
        """As Keras's; outside training, and for forms that EfficientNets lack, it is Keras's."""
        if not (training and self.can_fold() and _is_on_processor(inputs)):
            return super().call(inputs)
        frozen, stride = self._scale_and_offset(), self.strides[0]
        kernel = self.kernel * frozen[0][:, None] if frozen else tf.convert_to_tensor(self.kernel)
        if self.trainable and self.kernel_size == (5, 5):
            outputs = _depthwise_5x5(inputs, kernel, stride, self.padding.upper())
        else:
            strides = (1, stride, stride, 1)
            outputs = tf.nn.depthwise_conv2d(inputs, kernel, strides, self.padding.upper())
        return tf.nn.bias_add(outputs, frozen[1]) if frozen else outputs


def _is_on_processor(inputs: tf.Tensor) -> bool:
    """Whether `inputs` are float32 maps of known size, and no GPU is there to compute on."""
    known = inputs.dtype == tf.float32 and None not in inputs.shape[1:]
    return known and not tf.config.list_physical_devices("GPU")


def _depthwise_5x5(x: tf.Tensor, kernel: tf.Tensor, stride: int, padding: str) -> tf.Tensor:
    """Convolution of (n, h, w, c) by (5, 5, c, 1), with the gradient of `filter_gradient`."""
    strides = [1, stride, stride, 1]

    @tf.custom_gradient
    def convolve(x, k):
        def gradient(upstream):
            of_inputs = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x), filter=k, out_backprop=upstream, strides=strides,
                padding=padding,
            )  # fmt: skip
            return of_inputs, filter_gradient(x, upstream, stride, padding)

        return tf.nn.depthwise_conv2d(x, k, strides, padding), gradient

    return convolve(x, kernel)


def filter_gradient(x: tf.Tensor, upstream: tf.Tensor, stride: int, padding: str) -> tf.Tensor:
    """Gradient (5, 5, c, 1) of a 5x5 depthwise convolution of `x` (n, h, w, c)."""
    pads = [_padding(n, stride) if padding == "SAME" else (0, 0) for n in x.shape[1:3]]
    small = max(x.shape[1:3]) <= LARGEST_PRODUCT_MAP
    return (_by_product if small else _by_windows)(x, upstream, stride, pads)


def _by_product(x: tf.Tensor, upstream: tf.Tensor, stride: int, pads: list) -> tf.Tensor:
    """All products of an input place and an output place, summed by their distance."""
    places = x.shape[1] * x.shape[2], upstream.shape[1] * upstream.shape[2]
    channels = x.shape[3]
    inputs = tf.transpose(tf.reshape(x, (-1, places[0] * channels)))  # (p * c, n)
    inputs = tf.reshape(inputs, (places[0], channels, -1))
    outputs = tf.reshape(upstream, (-1, places[1], channels))
    products = tf.einsum("pcn,nqc->cpq", inputs, outputs)
    by_offset = tf.constant(_offsets(x.shape[1:3], upstream.shape[1:3], stride, pads))
    sums = tf.reshape(products, (channels, -1)) @ by_offset  # (c, 25)
    return tf.reshape(tf.transpose(sums), (5, 5, channels, 1))


def _offsets(inputs: tuple, outputs: tuple, stride: int, pads: list) -> np.ndarray:
    """(h w rows columns, 25), 1 where an input place lies at that kernel offset of an output."""
    table = np.zeros((*inputs, *outputs, 5, 5), np.float32)
    for i, j in np.ndindex(*outputs):
        for k, m in np.ndindex(5, 5):
            y, x = i * stride + k - pads[0][0], j * stride + m - pads[1][0]
            if 0 <= y < inputs[0] and 0 <= x < inputs[1]:
                table[y, x, i, j, k, m] = 1
    return table.reshape(-1, 25)


def _by_windows(x: tf.Tensor, upstream: tf.Tensor, stride: int, pads: list) -> tf.Tensor:
    """Four 3x3 filter gradients, of windows that together cover the 25 offsets."""
    padded = tf.pad(x, [(0, 0), *pads, (0, 0)])
    high, wide = ((n - 1) * stride + 3 for n in upstream.shape[1:3])

    def window(row: int, column: int) -> tf.Tensor:
        return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
            input=padded[:, row : row + high, column : column + wide], out_backprop=upstream,
            filter_sizes=[3, 3, x.shape[3], 1], strides=[1, stride, stride, 1], padding="VALID",
        )  # fmt: skip

    upper = tf.concat([window(0, 0), window(0, 2)[:, 1:]], axis=1)  # (3, 5, c, 1)
    lower = tf.concat([window(2, 0), window(2, 2)[:, 1:]], axis=1)
    return tf.concat([upper, lower[1:]], axis=0)


def _padding(size: int, stride: int) -> tuple[int, int]:
    """What SAME adds before and after `size` for a filter of five."""
    total = max((-(-size // stride) - 1) * stride + 5 - size, 0)
    return total // 2, total - total // 2


def with_fast_layers(model: keras.Model, *, stem_stride: int = 2) -> keras.Model:
    """`model`, an EfficientNet of Keras's, with the layers of this module and the same weights."""

    def swap(layer: keras.layers.Layer) -> keras.layers.Layer:
        config, kind = layer.get_config(), type(layer)
        if layer.name == "stem_conv":
            config["strides"] = (stem_stride, stem_stride)
        if kind is keras.layers.BatchNormalization:
            kind = FusedBatchNormalization
        elif kind is keras.layers.DepthwiseConv2D:
            kind = FastDepthwiseConv2D
        elif kind is keras.layers.Conv2D and layer.kernel_size == (1, 1) and not layer.use_bias:
            kind = PointwiseConv2D
        return kind.from_config(config)

    fast = keras.models.clone_model(model, input_tensors=model.input, clone_function=swap)
    fast.set_weights(model.get_weights())
    _finalize(fast)
    return fast


def _finalize(model: keras.Model) -> None:
    """Normalization computes with copies of its weights, which it takes here."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


_PLAIN = {
    FusedBatchNormalization: keras.layers.BatchNormalization,
    PointwiseConv2D: keras.layers.Conv2D,
    FastDepthwiseConv2D: keras.layers.DepthwiseConv2D,
}


def with_plain_layers(model: keras.Model) -> keras.Model:
    """`model` with Keras's layers in place of those of this module and the same weights, so that a
    saved file needs none of our code."""
    if not any(type(layer) in _PLAIN for layer in model.layers):
        return model

    def swap(layer: keras.layers.Layer) -> keras.layers.Layer:
        return _PLAIN.get(type(layer), type(layer)).from_config(layer.get_config())

    plain = keras.models.clone_model(model, clone_function=swap)
    plain.set_weights(model.get_weights())
    _finalize(plain)
    return plain


def fold_batch_norms(model: keras.Model) -> None:
    """Let the convolutions of `model` apply the BatchNorms after them while these are frozen."""
    for norm in model.layers:
        if isinstance(norm, FusedBatchNormalization):
            before = norm.input._keras_history.operation
            if isinstance(before, _Foldable) and before.can_fold() and _feeds_only(before, norm):
                before.fold(norm)


def _feeds_only(layer: keras.layers.Layer, other: keras.layers.Layer) -> bool:
    """Whether what `layer` computes goes to `other` alone, and as it is."""
    plain = layer.activation is keras.activations.linear
    return plain and [node.operation for node in layer._outbound_nodes] == [other]
