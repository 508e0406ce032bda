"""A window on the screen that shows one picture after another."""

from __future__ import annotations

from PIL import Image

from ferbook.inference.face import InputError


class Window:
    """Opened at once; closed by its button, by q or by Escape, after which `closed` is true.

    Made with Tk, which comes with Python: the headless OpenCV has no windows. Raises InputError
    where there is no Tk or no display.
    """

    def __init__(self, title: str):
        try:
            import tkinter

            self._root = tkinter.Tk()
        except Exception as error:  # ImportError, or Tk's own for a missing display
            raise InputError(f"--show: no window can be opened here ({error}).") from error
        self.closed = False
        self._root.title(title)
        self._root.protocol("WM_DELETE_WINDOW", self.close)
        for key in ("<q>", "<Escape>"):
            self._root.bind(key, lambda _: self.close())
        self._label = tkinter.Label(self._root)
        self._label.pack()

    def show(self, picture: Image.Image) -> None:
        """Show a picture in place of the last one, and take note of keys and clicks."""
        from PIL import ImageTk

        if not self.closed:
            self._picture = ImageTk.PhotoImage(picture, master=self._root)  # Tk keeps no reference
            self._label.configure(image=self._picture)
            self._root.update()

    def close(self) -> None:
        """Take the window off the screen, once."""
        if not self.closed:
            self.closed = True
            self._root.destroy()
