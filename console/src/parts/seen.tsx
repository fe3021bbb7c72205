import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** What is shown, and asks for its data, only once one has scrolled to it. */
export function WhenSeen({ children }: { children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !place.current) return;
    const watched = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && setSeen(true), {
      rootMargin: "300px",
    });
    watched.observe(place.current);
    return () => watched.disconnect();
  }, [seen]);
  return (
    <div ref={place} class={seen ? undefined : "unseen"}>
      {seen && children}
    </div>
  );
}
