"""Data-parallel training on the cores of one machine, under `torchrun --nproc-per-node {cores}`.

Each process takes its share of every batch and they meet once a step. On a machine that also does other work, threads
that meet in every operation spend most of their time waiting for each other. Without torchrun there is one process.
"""

import os

import torch
import torch.distributed as distributed


def start() -> tuple[int, int]:
    """(rank, ranks) of this process."""
    rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if ranks > 1:
        distributed.init_process_group("gloo")
    return rank, ranks


def average_gradients(model: torch.nn.Module, ranks: int) -> None:
    if ranks == 1:
        return
    gradients = [p.grad for p in model.parameters()]
    together = torch.cat([gradient.flatten() for gradient in gradients]) / ranks
    distributed.all_reduce(together)
    for gradient, averaged in zip(gradients, together.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(averaged.view_as(gradient))


def stop(ranks: int) -> None:
    if ranks > 1:
        distributed.destroy_process_group()
