import { defineConfig } from "vite";

// The router serves dist/index.html at `/` and dist/assets at `/explorer/assets/`.
export default defineConfig({
  base: "/explorer/",
  build: {
    // Monaco alone is larger than the size that Vite warns of; it is loaded once and then cached by its hashed name.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      // GraphiQL's icons are named for screen readers after their functions ("close icon"): those names must stay.
      output: { keepNames: true },
      // "use client" marks say something to servers that render React; here there is none, and the rest must stay seen.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
    },
  },
  worker: { format: "es" },
});
