// The last line of defence: the host checks every length (src/), and what got past it traps here, before anything is
// written, instead of running over the neighbouring area.

@inline
export function assertFits(length: u32, room: u32): void {
  if (length > room) unreachable()
}
