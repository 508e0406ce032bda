# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: jupytext,kernelspec,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training
#
# **On {glue:text}`trained_backbone` at {glue:text}`trained_image_size` pixels, with seed {glue:text}`trained_seed`, the
# original's recipe reaches its best validation accuracy, {glue:text}`trained_val_accuracy_best:.1f`%
# ({glue:text}`trained_val_clean_accuracy:.1f`% on images without a copy in training), in epoch
# {glue:text}`trained_best_epoch:d` of {glue:text}`trained_epochs:d`.** This chapter trains the two phases of the
# recipe and writes everything that
# they produce to the result store. A finished run is loaded instead of being trained again; an interrupted
# run is resumed from its last epoch.
#
# The stored run of this recipe with the first seed was trained before the direction of the shear, a tenth of a degree,
# was corrected ({numref}`tab-seeds`).
#
# *Input:* the data set. *Output:* `run.json`, `history.csv` and `predictions.npz` of one run.
# *Run time:* a minute on synthetic faces, and up to an hour or a little more with the profile `laptop`.

# %% tags=["parameters", "hide-cell"]
data = "synthetic"  # "synthetic", "kaggle", or the path of archive.zip, its folder or fer2013.csv
config = ""  # a file of configs/ to start from; what papermill is given beside it wins
subset = False  # True: accept counts other than the official ones, with a warning
results_dir = "_build/quick/results"  # the result store; paths are relative to the project
runs_dir = "runs"  # checkpoints of unfinished runs
study = "smoke"  # folder of the run in the result store
name = "paper"  # name of the recipe, the first part of the run's name
backbone = "tiny"  # one of ferbook.core.recipe.BACKBONES
weights = "none"  # "imagenet" or "none" (random)
image_size = 48  # px, input side of the network
seed = 42  # of the split, the initial weights, the order and the augmentation
train_images = 0  # train on a stratified subset of this size; 0: all
deduplicate_train = False  # keep one of equal images, and none with a twin in validation or test
distinct_counts = False  # its control: as many images of each class, drawn at random
grouped_split = False  # no pixel-identical images on both sides of training and validation
batch_size = 32  # images per step
accumulate = 1  # batches whose mean gradient is one step of the optimizer
stem_stride = 2  # of an EfficientNet's first convolution
pooling = "average"  # of the last feature map; or "attention"
dropout = 0.5  # fraction dropped before the last layer
drop_path_rate = 0.2  # after EfficientNet-Lite's last block; less in earlier ones
warmup_epochs = 3  # phase 1: the head alone, Adam
warmup_learning_rate = 1e-3  # per step
finetune_epochs = 7  # phase 2: all layers but BatchNorm
finetune_learning_rate = 3e-5  # per step
finetune_optimizer = "adamw"  # or "adam"
weight_decay = 1e-4  # of AdamW
train_batch_norm = False  # in phase 2: statistics and scales of BatchNorm learn too
schedule = "plateau"  # or "cosine", over all steps of phase 2, without early stopping
lr_warmup_fraction = 0.1  # of the cosine's steps, in which the learning rate rises
small_epochs = 0  # the first so many epochs of phase 2 see smaller images
small_image_size = 64  # px, in these epochs
ema_momentum = 0.0  # of averaged weights, which are then those evaluated; 0: none
sam_radius = 0.0  # of sharpness-aware minimization, over all weights; 0: none
label_smoothing = 0.06  # fraction of the target spread over all classes
class_weight_clip = 4.0  # upper bound of a class weight; 0: no class weights
early_stopping_patience = 3  # epochs without a lower validation loss
plateau_factor = 0.3  # learning rate times this on a plateau
plateau_patience = 2  # epochs without a lower validation loss
rotation_degrees = 25.0  # up to, either way
shift_fraction = 0.15  # of the side, up to, either way, each axis its own
zoom_fraction = 0.25  # factors 1 - z to 1 + z, each axis its own
shear_degrees = 0.1  # up to, either way
horizontal_flip = True  # half of the images mirrored
erasing_probability = 0.0  # of a gray rectangle over part of an image
mixup_alpha = 0.0  # Beta(alpha, alpha) blends of two images; 0: none
cutmix_alpha = 0.0  # the same with a rectangle of the other image pasted in; 0: none
ferplus_loss_weight = 0.0  # of a second head's loss on the FER+ votes; 0: no such head
landmark_loss_weight = 0.0  # of a head's loss on eyes, nose and mouth; 0: no such head
co_teaching_share = 0.0  # highest losses of one network from which a second does not learn; 0: none
start_from = ""  # recipe whose run of the same study and seed gives the first weights
pruned_share = 0.0  # of all kernels' entries, the smallest at the start, kept at zero
teachers = ""  # recipes whose runs of the same study and seed teach; NAME@128: at 128 px
distillation_share = 0.5  # of the teachers' mean answer in a target, beside the label
deterministic = False  # True: the same bits each time, on a GPU too; slower
device = "any"  # "gpu": stop, with the reason, where TensorFlow sees none
allow_cpu = False  # True: train on a processor what asks for a GPU
weights_file = ""  # ImageNet weights of a network of Keras's, for a machine without a network

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths, structured
from ferbook.core import recipe as core_recipe
from ferbook.core.parameters import settle
from ferbook.data import splits
from ferbook.data.sources import load
from ferbook.paper import key_numbers, plots, table
from ferbook.paper.chapters.training import figures, tables
from ferbook.results import store
from ferbook.results.study import read_study
from ferbook.training import input_pipeline, keras_weights, models, train
from ferbook.training.device import check as check_device

os.chdir(paths.project_root())
settle(globals(), "02_training")
plots.use_style()
recipe = core_recipe.Recipe.from_mapping(globals())
print(check_device(device, recipe, allow_cpu=allow_cpu))
if weights_file:
    keras_weights.bring(backbone, weights_file)

# %% tags=["hide-input"]
faces = load(data, subset=subset)
table.Notice(synthetic=faces.name == "synthetic", recipe=name)

# %% [markdown]
# ## The recipes
#
# {numref}`tab-recipe` has the hyperparameters of this run beside what the original states and beside those of our
# recipes, which [](../method.md) describes.

# %% tags=["hide-input"]
ours, longer, second = (
    next(iter(read_study(f"configs/{name}.yml").recipes.values()))
    for name in ("ours", "ours_longer", "ours_scratch")
)
recipes = {"our recipe": ours, "longer": longer, "our second recipe": second}
stated = structured.read_yaml("book/original.yml")["recipe"]
tables.recipe_table({"this run": recipe, **recipes}, stated)

# %% [markdown]
# ## What the network sees
#
# Rotation, shift, shear, zoom and flip are drawn anew for every image and epoch. They are applied in
# one resampling step from the original pixels to the input size ({numref}`fig-augmentation`).

# %% mystnb={"figure": {"caption": "Training images, and the same images after augmentation in three epochs.", "name": "fig-augmentation"}, "image": {"alt": "Rows of faces: first unchanged, then rotated, shifted, zoomed and mirrored at random."}} tags=["hide-input"]
sample = splits.split(faces, seed=seed).train.select(slice(0, 2000, 250))
figures.augmentations(*input_pipeline.augmentation_examples(sample, recipe))
# %% [markdown]
# ## The network
#
# {numref}`fig-network` shows the layers of the network, from the image down to the answer, and what each of the two
# phases trains.
#
# {numref}`tab-parameters` counts the parameters of the models as they are built here, with the
# seven-class head. The original gives {glue:text}`original_parameters_millions:.1f` million for
# EfficientNetB2; the network that it describes has {glue:text}`paper_model_parameters:,`.

# %% tags=["hide-input"]
parameters = models.count_all_parameters()
store.write_parameters(results_dir, parameters)
tables.parameter_table(parameters)

# %% mystnb={"figure": {"caption": "The network and what each phase trains, with its epochs, optimizer and learning rate: as the original describes it, and as it was trained here. Phase 2 trains everything but batch normalization; the numbers include the dense layer.", "name": "fig-network"}, "image": {"alt": "A column of six boxes, from the gray image through backbone, pooling and dropout to a dense layer; beside it sizes and names for the original and for here, and two columns: phase 1 freezes the backbone and trains the dense layer, phase 2 trains both."}} tags=["hide-input"]
figures.network([core_recipe.Recipe(), recipe], parameters)

# %% [markdown]
# ## The run
#
# This notebook trains one run, or reads it from the result store where it is finished: {glue:text}`trained_label`. The learning curves of the run that is nearest to the
# original
# are in the next chapter ({numref}`fig-accuracy`, {numref}`fig-loss`). Training images
# are augmented and seen through dropout; validation images are not.

# %% mystnb={"code_prompt_show": "Code of the training"} tags=["hide-cell"]
places = {"study": study, "results_dir": results_dir, "runs_dir": runs_dir}
folder = train.train(recipe, faces, deterministic=deterministic, **places)
run = store.load_run(folder)

# %% [markdown]
# ## Failure cases
#
# The original suggests a figure of failure cases in two panels, neutral mistaken for sad and fear mistaken
# for surprise, but does not print it. {numref}`fig-failures` is ours: the errors with the highest
# confidence. Below each picture are the probability of the prediction and the expression with the most
# votes of FER+'s taggers. Where the two agree, the label may be the mistake.

# %% mystnb={"figure": {"caption": "Test images of two kinds of error, those with the highest confidence first; below each, the probability of the prediction, and the expression with the most votes of FER+'s taggers.", "name": "fig-failures"}, "image": {"alt": "Two rows of faces: labeled neutral and predicted sad; labeled fear and predicted surprise."}} tags=["hide-input"]
figures.failures(faces, run, [("neutral", "sad"), ("fear", "surprise")])
# %% [markdown]
# ## Limits
#
# Trained twice by the same code on the same machine without a GPU, with as many cores, a run gives identical results; on
# another machine they differ ([](../reproducibility.md)). A run in the result store may be of earlier code, whose commit
# it names. On a GPU it uses mixed precision and XLA, and results are expected to differ from one
# execution to the next; this was **not run**. One run cannot show how much the result depends on the seed;
# {numref}`tab-seeds` does.
#
# ```{admonition} What we found
# :class: tip
# - The best validation accuracy of this seed, {glue:text}`trained_val_accuracy_best:.1f`%, is reached in epoch
#   {glue:text}`trained_best_epoch:d` of {glue:text}`trained_epochs:d`; other seeds are in the [list of all runs](../all_runs.md).
# - Training accuracy, measured under augmentation and dropout, ends at
#   {glue:text}`trained_train_accuracy_last:.1f`%; validation accuracy ends at
#   {glue:text}`trained_val_accuracy_last:.1f`%.
# - The network that the original describes has {glue:text}`paper_model_parameters:,` parameters, not
#   {glue:text}`original_parameters_millions:.1f` million.
# ```

# %% tags=["remove-cell"]
original = structured.read_yaml("book/original.yml")
values = (
    key_numbers.claimed_parameters(original)
    | key_numbers.parameter_numbers(parameters)
    | key_numbers.training_numbers(run, prefix="trained")
)
for key, value in values.items():
    glue(key, value, display=False)
