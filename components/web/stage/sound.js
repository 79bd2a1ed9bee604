// Loss curves to be heard: a voice for each run, the runs from left to right, its pitch the logarithm
// of its loss. A voice is still where its run has left or has not begun.

export const MEANING =
  "Sound on. A voice for each run, from left to right; the higher it sounds, the larger the loss: an octave is a factor of a hundred. Play to hear it."

const A = 440 // Hz, of a loss of 1
const DECADES = 2 // to an octave
const LOWEST = 65
const HIGHEST = 1760
const LOUDNESS = 0.14 // of all voices together
const GLIDE_S = 0.03 // of pitch and loudness
const WAVES = ["sine", "triangle", "square", "sawtooth"]
const EQUAL = { sine: 1, triangle: 1, square: 0.35, sawtooth: 0.45 } // as loud as a sine to the ear

// The pitch of a loss, in Hz: half an octave a decade, within what small loudspeakers have; NaN of
// what is none.
export function pitch(loss) {
  if (!(loss >= 0) || loss === Infinity) return NaN
  return Math.min(HIGHEST, Math.max(LOWEST, A * 2 ** (Math.log10(loss) / DECADES)))
}

export class Sound {
  constructor() {
    this.context = null
    this.voices = []
  }

  // On by a reader's click, without which browsers keep silent.
  toggle() {
    if (this.context) this.stop()
    else this.context = new AudioContext()
    return this.on
  }

  get on() {
    return this.context !== null
  }

  // What is heard now: a loss a run, or nothing.
  play(losses) {
    const { context } = this
    if (!context) return
    while (this.voices.length < losses.length) this.voices.push(this.voice(this.voices.length))
    const now = context.currentTime
    this.voices.forEach(({ oscillator, gain, pan, wave }, i) => {
      const heard = pitch(losses[i])
      const loud = Number.isFinite(heard) ? (LOUDNESS * EQUAL[wave]) / losses.length : 0
      gain.gain.setTargetAtTime(loud, now, GLIDE_S)
      if (!loud) return
      oscillator.frequency.setTargetAtTime(heard, now, GLIDE_S)
      pan.pan.setTargetAtTime(losses.length > 1 ? -0.8 + (1.6 * i) / (losses.length - 1) : 0, now, GLIDE_S)
    })
  }

  voice(i) {
    const { context } = this
    const wave = WAVES[i % WAVES.length]
    const [oscillator, gain, pan] = [context.createOscillator(), context.createGain(), context.createStereoPanner()]
    oscillator.type = wave
    gain.gain.value = 0
    oscillator.connect(gain).connect(pan).connect(context.destination)
    oscillator.start()
    return { oscillator, gain, pan, wave }
  }

  stop() {
    this.context?.close()
    this.context = null
    this.voices = []
  }
}
