import { randomBytes } from 'node:crypto';

/** 256 words that are short, well known, unlike each other, and unkind to nobody. */
const QUALITIES = `
able agile airy alert alive amber ample antique apt arctic autumn aware balmy basic blithe bold bonny brave breezy brief
bright brisk bronze busy calm candid carbon careful cedar cheery chief chilly civic civil classic clean clear clever
close cloudy coastal cobalt comic cool copper coral cosmic cotton cozy crisp crystal curious curly dainty dapper
daring deep desert dewy double dreamy dusty eager early earnest easy eastern elder elegant elfin emerald equal
even exact fabled fair faithful famous fancy fast fearless festive fine firm first fleet floral fluent fluffy fond formal
forward fourth frank free fresh friendly frosty full funny gallant garden gentle giant gifted glad gleaming global glossy
golden good graceful grand granite grateful great green happy hardy harvest hazel hearty helpful heroic hidden high
honest hopeful humble icy ideal indigo inner island ivory jade jaunty jolly jovial joyful jubilant just keen kind known
large lasting late leafy level light lilac lime linen little lively local lofty long loud loyal lucid lucky lunar lush
magic main maple marble marine mellow merry mighty mild mint misty modest moonlit mossy musical native near neat new
nimble noble northern novel oaken olive open orange orderly outer pacific patient pearl peppy perky placid plain playful
polar polite popular prime proper proud pure quick quiet rapid rare ready regal rested rich robust rosy round royal ruby
rural rustic sandy scenic second serene sharp shiny silent silver simple sincere sleek smart smooth snowy social soft
solar solid sonic spare spicy spring stable starry steady stellar sunny
superb swift tender tidy timely`
  .trim()
  .split(/\s+/);

/** 256 more, for things. */
const THINGS = `
acorn acrobat album almond anchor antler apple apron arbor arch atlas aurora badge badger bagel bamboo banjo barley
barrel basil basket bay beach beacon beaver beetle bell bench berry bicycle birch biscuit bison blanket blossom bonnet
book boulder bowl branch bread breeze brick bridge brook broom brush bucket bugle butter button cabin cactus camel canal
candle canoe canyon captain carpet carrot castle cello chalk cherry chess chimney cider cinnamon circle cliff clock cloud
clover comet compass cookie cove cradle crane crater creek cricket crown cup curtain daisy dancer delta diamond dolphin
donkey dove dragon drum duck dune eagle easel echo elbow elm ember falcon feather fern ferry fiddle field finch fjord
flag flute forest fossil fountain fox gable galaxy garlic gazelle geyser ginger giraffe glacier globe goblet goose grape
grove guitar hammer hammock harbor harp hawk helmet heron hill honey horizon hut iris ivy jacket jaguar jigsaw
journey juniper kayak kettle kite koala ladder lagoon lake lamp lantern lark laurel lemon lentil lighthouse lily lion
lizard llama lobster locket lotus lynx magnet mango mantle marigold market meadow melon meteor mill mitten moon moose
mountain muffin nest nectar needle oasis oboe ocean octopus onion orbit orchard orchid otter owl oyster paddle palace
panda panther paper parrot pasture peach peanut pebble pelican pencil penguin pepper piano picnic pilot pine planet plum
pocket pond pony poplar potato prairie puffin pumpkin puzzle quartz quill rabbit radio raft rainbow raven reef ribbon
river robin rocket saddle saffron sail salmon saturn seal shell shovel silk slipper sparrow spoon
squirrel stream sunset swan`
  .trim()
  .split(/\s+/);

/**
 * Three words for three bytes. A page and a terminal both show them, so that a person sees whether the two belong together.
 *
 * @param bytes at least three, which nobody must be able to choose
 */
export function wordsOf(bytes: Uint8Array): string {
  const [first = 0, second = 0, third = 0] = bytes;
  return `${QUALITIES[first]} ${THINGS[second]} ${THINGS[third]}`;
}

/** Three words that nobody can predict. */
export function randomWords(): string {
  return wordsOf(randomBytes(3));
}
