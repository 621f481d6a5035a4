// The microphone. What keeps it from being used is said in words, with what to do.

export class Problem extends Error {}

const REASONS = {
  NotAllowedError: "The microphone is not allowed for this page. Allow it in the browser’s site settings (beside the address), and try again.",
  NotFoundError: "No microphone was found. Plug one in, or choose a file below.",
  NotReadableError: "The microphone is in use by another program, or switched off. Free it, and try again.",
};

export class Recorder {
  // `heard` is called with each tenth of a second: samples, and their level from 0 to 1.
  static async open(heard) {
    if (!window.isSecureContext) {
      throw new Problem("Browsers give the microphone to secure pages only. Open this one as https://… (qbh serve --tls-self-signed) or, "
        + "on the machine itself, as http://localhost.");
    }
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
      throw new Problem("This browser cannot record. Use a current one, or choose a file below.");
    }
    const recorder = new Recorder();
    try {
      // What makes speech clearer makes melodies worse.
      const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
      recorder.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new Problem(REASONS[error.name] ?? `The microphone cannot be used: ${error.message}. Choose a file below.`);
    }
    recorder.context = new AudioContext();
    recorder.chunks = [];
    await recorder.context.audioWorklet.addModule("/page/worklet.js");
    const source = recorder.context.createMediaStreamSource(recorder.stream);
    const collector = new AudioWorkletNode(recorder.context, "collector", { numberOfOutputs: 0 });
    collector.port.onmessage = ({ data }) => {
      recorder.chunks.push(data);
      heard(data, level(data));
    };
    source.connect(collector);
    await recorder.context.resume();
    return recorder;
  }

  get rate() {
    return this.context.sampleRate;
  }

  close() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.context.close();
  }

  // What was recorded, as a file.
  wav() {
    const bytes = this.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const head = new DataView(new ArrayBuffer(44));
    const text = (at, letters) => [...letters].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
    text(0, "RIFF");
    head.setUint32(4, 36 + bytes, true);
    text(8, "WAVEfmt ");
    head.setUint32(16, 16, true);
    head.setUint16(20, 1, true);
    head.setUint16(22, 1, true);
    head.setUint32(24, this.rate, true);
    head.setUint32(28, 2 * this.rate, true);
    head.setUint16(32, 2, true);
    head.setUint16(34, 16, true);
    text(36, "data");
    head.setUint32(40, bytes, true);
    return new Blob([head, ...this.chunks], { type: "audio/wav" });
  }
}

// Loudness of a chunk, 0 at -60 dB, 1 at full scale.
function level(samples) {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  const decibels = 10 * Math.log10(power / samples.length / 32768 ** 2 + 1e-12);
  return Math.max(0, Math.min(1, 1 + decibels / 60));
}
