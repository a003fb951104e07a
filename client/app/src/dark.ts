/** Whether the device asks for dark colours. A canvas must be drawn again when that changes. */
import { useEffect, useState } from 'preact/hooks'

export function useDark(): boolean {
  const [theme] = useState(() => matchMedia('(prefers-color-scheme: dark)'))
  const [isDark, setDark] = useState(theme.matches)
  useEffect(() => {
    const listen = () => setDark(theme.matches)
    theme.addEventListener('change', listen)
    return () => theme.removeEventListener('change', listen)
  }, [])
  return isDark
}
