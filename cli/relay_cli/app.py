"""tmp"""
def main() -> None:
    print("hi")
