// The last check of lengths. The host (src/core/) checks every length first. A bad length that still arrives traps here,
// before the module writes over a neighbouring area.

@inline
export function assertFits(length: u32, room: u32): void {
  if (length > room) unreachable()
}
