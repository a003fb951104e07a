/** Gestures on the map: turns drags, pinches, wheel turns and arrow keys on a canvas into cameras. */
import { type Camera, pan, type Size, zoomAt } from './camera.ts'

export interface GestureInit {
  camera(): Camera
  size(): Size
  onCamera(camera: Camera): void
  onPick(x: number, y: number): void
}

const KEY_PAN_PX = 80
const WHEEL_STEP = 0.0022
/** A pointer that moves farther than this drags; otherwise it clicks. */
const CLICK_SLACK_PX = 6
const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [KEY_PAN_PX, 0],
  ArrowRight: [-KEY_PAN_PX, 0],
  ArrowUp: [0, KEY_PAN_PX],
  ArrowDown: [0, -KEY_PAN_PX],
}

/** Returns a function that removes the listeners. */
export function attachGestures(canvas: HTMLCanvasElement, init: GestureInit): () => void {
  const pointers = new Map<number, { x: number; y: number }>()
  let moved = 0
  let spread = 0

  const down = (event: PointerEvent) => {
    canvas.setPointerCapture(event.pointerId)
    pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY })
    if (pointers.size === 1) moved = 0
    spread = toSpread()
  }
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId)
    if (before === undefined) return
    const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y]
    moved += Math.hypot(dx, dy)
    pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY })
    let camera = pan(init.camera(), init.size(), dx / pointers.size, dy / pointers.size)
    if (pointers.size === 2) {
      const next = toSpread()
      const [a, b] = [...pointers.values()] as [{ x: number; y: number }, { x: number; y: number }]
      camera = zoomAt(camera, init.size(), Math.log2(next / spread), (a.x + b.x) / 2, (a.y + b.y) / 2)
      spread = next
    }
    init.onCamera(camera)
  }
  const up = (event: PointerEvent) => {
    if (pointers.size === 1 && moved < CLICK_SLACK_PX && event.type === 'pointerup')
      init.onPick(event.offsetX, event.offsetY)
    pointers.delete(event.pointerId)
    spread = toSpread()
  }
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const step = -event.deltaY * WHEEL_STEP * (event.deltaMode === 1 ? 16 : 1)
    init.onCamera(zoomAt(init.camera(), init.size(), step, event.offsetX, event.offsetY))
  }
  const key = (event: KeyboardEvent) => {
    const { width, height } = init.size()
    const by = KEYS[event.key]
    if (by !== undefined) init.onCamera(pan(init.camera(), init.size(), ...by))
    else if (event.key === '+' || event.key === '=') init.onCamera(zoomAt(init.camera(), init.size(), 1))
    else if (event.key === '-') init.onCamera(zoomAt(init.camera(), init.size(), -1))
    else if (event.key === 'Enter') init.onPick(width / 2, height / 2)
    else return
    event.preventDefault()
  }

  function toSpread(): number {
    const [a, b] = [...pointers.values()]
    return a === undefined || b === undefined ? 1 : Math.max(1, Math.hypot(a.x - b.x, a.y - b.y))
  }

  const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, wheel, keydown: key }
  for (const [name, listener] of Object.entries(listeners)) {
    canvas.addEventListener(name, listener as EventListener, { passive: false })
  }
  return () => {
    for (const [name, listener] of Object.entries(listeners))
      canvas.removeEventListener(name, listener as EventListener)
  }
}
