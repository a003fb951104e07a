/** A place as latitude and longitude, to about a metre. The same in every language. */
export const coordinates = ({ lat, lng }: { lat: number; lng: number }): string =>
  `${lat.toFixed(5)}, ${lng.toFixed(5)}`
