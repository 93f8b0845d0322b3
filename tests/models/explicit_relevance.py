"""Relevance of a ViT or DINOv2, worked out share by share in float64, without torch and without any gradient.

Every step keeps what went in and what came out, and then hands the relevance of its output to its inputs in proportion to what
each brought: an independent computation of what `models.backward` finds by gradients.
"""

import numpy as np
from scipy.special import erf, expit


def weights_of(module):
    """Return a torch module's weights by name, as float64."""
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def shares(brought, relevance, axis):
    """Hand out relevance in proportion to what was brought to each sum over an axis, biases included beforehand."""
    return (brought * relevance).sum(axis)


class Explicit:
    """A Hugging Face ViT or DINOv2 with one head, layer by layer.

    `absorbed` adds up the relevance that no token gets: that of biases, and what the softmax keeps to itself.
    """

    def __init__(self, module, *, fixed_attention, gamma=0.0):
        config = module.config
        self.weights, self.n_heads, self.eps = (
            weights_of(module),
            config.num_attention_heads,
            config.layer_norm_eps,
        )
        self.fixed_attention, self.gamma, self.is_dino = (
            fixed_attention,
            gamma,
            config.model_type.startswith("dinov2"),
        )
        self.n_prefix = 1 + getattr(config, "num_register_tokens", 0)
        self.prefix = module.base_model_prefix
        self.n_layers = config.num_hidden_layers
        self.absorbed = 0.0

    def named(self, name):
        return self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias", 0.0)

    # --- forward, each step leaving behind how its relevance goes back

    def linear(self, x, name):
        weight, bias = self.named(name)
        y = x @ weight.T + bias

        def back(r):
            of_bias = r * np.divide(bias, y, out=np.zeros_like(y), where=y != 0)
            self.absorbed += of_bias.sum()
            return x * (np.divide(r, y, out=np.zeros_like(y), where=y != 0) @ weight)

        return y, back

    def norm(self, x, name):
        weight, bias = self.named(name)
        spread = np.sqrt(x.var(-1, keepdims=True) + self.eps)
        y = (x - x.mean(-1, keepdims=True)) / spread * weight + bias

        def back(r):
            ratio = r / y
            self.absorbed += (ratio * bias).sum()
            # What x_j brings to y_k is w_k x_j ([j = k] - 1 / n) / spread.
            pulled = ratio * weight
            return x / spread * (pulled - pulled.mean(-1, keepdims=True))

        return y, back

    def attention(self, x, name):
        (q, back_q), (k, back_k), (v, back_v) = (self.linear(x, f"{name}.{p}_proj") for p in "qkv")
        q, k, v = (z.reshape(len(x), self.n_heads, -1).transpose(1, 0, 2) for z in (q, k, v))
        scale = q.shape[-1] ** -0.5
        scores = scale * q @ k.transpose(0, 2, 1)
        a = np.exp(scores - scores.max(-1, keepdims=True))
        a /= a.sum(-1, keepdims=True)
        mixed = a @ v

        def merged(z):
            return z.transpose(1, 0, 2).reshape(len(x), -1)

        y, back_o = self.linear(merged(mixed), f"{name}.o_proj")

        def back(r):
            r = back_o(r).reshape(len(x), self.n_heads, -1).transpose(1, 0, 2)
            # [head, query, key, dimension]: what every edge brings.
            brought = a[..., None] * v[:, None]
            ratio = (r / mixed)[:, :, None]
            if self.fixed_attention:
                return back_v(merged(shares(brought, ratio, 1)))
            of_v, of_a = shares(brought, ratio / 2, 1), shares(brought, ratio / 2, 3)
            of_scores = scores * (of_a - a * of_a.sum(-1, keepdims=True))
            self.absorbed += of_a.sum() - of_scores.sum()
            met = scale * q[:, :, None] * k[:, None]
            ratio = (of_scores / scores)[..., None] / 2
            of_q, of_k = shares(met, ratio, 2), shares(met, ratio, 1)
            return back_q(merged(of_q)) + back_k(merged(of_k)) + back_v(merged(of_v))

        return y, back

    def mlp(self, x, name):
        if f"{name}.gate_proj.weight" in self.weights:
            gate, back_gate = self.linear(x, f"{name}.gate_proj")
            up, back_up = self.linear(x, f"{name}.up_proj")
            y, back_down = self.linear(gate * expit(gate) * up, f"{name}.down_proj")

            def back(r):
                half = back_down(r) / 2
                return back_gate(half) + back_up(half)

            return y, back
        inner, back_1 = self.linear(x, f"{name}.fc1")
        y, back_2 = self.linear(inner * (1 + erf(inner / np.sqrt(2))) / 2, f"{name}.fc2")
        return y, lambda r: back_1(back_2(r))

    def added(self, a, b):
        """Return shares of a residual sum: each summand counts 1 + gamma where it has the sum's sign."""
        y = a + b
        of_a, of_b = (z * (1 + self.gamma * (z * y > 0)) for z in (a, b))
        return y, of_a / (of_a + of_b), of_b / (of_a + of_b)

    def block(self, x, name):
        norms = ("norm1", "norm2") if self.is_dino else ("layernorm_before", "layernorm_after")
        backs = []
        for norm, part, scale in zip(
            norms, ("attention", "mlp"), ("layer_scale1", "layer_scale2"), strict=True
        ):
            h, back_norm = self.norm(x, f"{name}.{norm}")
            h, back_part = getattr(self, part)(h, f"{name}.{part}")
            # Layer scale multiplies, and hands on all relevance.
            h = h * self.weights.get(f"{name}.{scale}.lambda1", 1.0)
            x, of_part, of_skip = self.added(h, x)
            backs.append((back_norm, back_part, of_part, of_skip))

        def back(r):
            for back_norm, back_part, of_part, of_skip in reversed(backs):
                r = r * of_skip + back_norm(back_part(r * of_part))
            return r

        return x, back

    def relevance(self, tokens, label):
        """Return the logit, and relevance [layer, token] of tokens [token, width]."""
        logit, r, backs = self.at_the_end(tokens, label)
        layers = []
        for back in reversed(backs):
            r = back(r)
            layers.append(r.sum(-1))
        return logit, np.array(layers[::-1])

    def edges(self, tokens, label):
        """Return relevance [layer, source, target]: what each token at a block's output hands to those at its input."""
        _, r, backs = self.at_the_end(tokens, label)
        layers = []
        for back in reversed(backs):
            alone = [back(r * (np.arange(len(r)) == token)[:, None]) for token in range(len(r))]
            layers.append([of_one.sum(-1) for of_one in alone])
            r = np.sum(alone, axis=0)
        return np.array(layers[::-1])

    def at_the_end(self, tokens, label):
        """Return the logit, the relevance [token, width] of the last block's output, and the way back through all blocks."""
        x, backs = np.asarray(tokens, dtype=float), []
        path = "encoder.layer" if self.is_dino else "layers"
        for number in range(self.n_layers):
            x, back = self.block(x, f"{self.prefix}.{path}.{number}")
            backs.append(back)
        x, back_norm = self.norm(x, f"{self.prefix}.layernorm")
        read = np.concatenate([x[0], x[self.n_prefix :].mean(0)]) if self.is_dino else x[0]
        y, back_read = self.linear(read, "classifier")

        r_read = back_read(np.where(np.arange(len(y)) == label, y, 0.0))
        r = np.zeros_like(x)
        r[0] = r_read[: x.shape[1]]
        if self.is_dino:
            patches = x[self.n_prefix :]
            r[self.n_prefix :] = patches / patches.sum(0) * r_read[x.shape[1] :]
        return y[label], back_norm(r), backs
