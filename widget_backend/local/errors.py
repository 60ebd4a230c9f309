"""The one exception of this package: a local problem and what to do about it, on one line."""


class LocalError(Exception):
    """Something on this machine stands in the way; `remedy` says what the reader can do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = " ".join(problem.split()).rstrip(".")
        self.remedy = remedy
        super().__init__(f"{self.problem}. {remedy}")

    def __reduce__(self) -> tuple[type["LocalError"], tuple[str, str]]:
        return type(self), (self.problem, self.remedy)
